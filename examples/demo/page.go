package main

import (
	"bytes"
	"crypto/rand"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
)

//go:embed pages
var pageFiles embed.FS

// pages are the pages by path.
var pages = map[string]*template.Template{}

func init() {
	frame := template.Must(template.ParseFS(pageFiles, "pages/frame.html"))
	for path, file := range map[string]string{
		"/{$}": "index.html", "/chat": "chat.html", "/market": "market.html", "/game": "game.html", "/monitor": "monitor.html",
	} {
		pages[path] = template.Must(template.Must(frame.Clone()).ParseFS(pageFiles, "pages/"+file))
	}
	pages["/echo.html"] = template.Must(template.ParseFS(pageFiles, "pages/echo.html"))
}

// pageData is the data of the pages' templates.
type pageData struct {
	Nonce   string
	Servers []string // wss:// and host of each node, this one first
}

// servePage serves a page. Its policy lets in the page's own script and style, by a nonce that nobody can guess, the scripts
// and the style of this server, and connections to the nodes: nothing else.
func servePage(page *template.Template, servers []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		data := pageData{Nonce: rand.Text(), Servers: servers}
		var body bytes.Buffer
		if err := page.Execute(&body, data); err != nil {
			http.Error(w, "the page cannot be made", http.StatusInternalServerError)
			return
		}
		own := fmt.Sprintf("'self' 'nonce-%s'", data.Nonce)
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; script-src "+own+"; style-src "+own+"; "+
			"connect-src 'self' "+strings.Join(servers, " ")+"; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store") // a nonce is used once
		_, _ = w.Write(body.Bytes())       // a visitor who has left needs no page
	})
}

// serveFile serves a script or the style.
func serveFile(name, contentType string) http.Handler {
	content, err := pageFiles.ReadFile("pages/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType+"; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(content)
	})
}
