package main

import (
	"bytes"
	"embed"
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
		"/{$}": "index.html", "/chat": "chat.html", "/market": "market.html", "/game": "game.html", "/monitor": "monitor.html", "/echo.html": "echo.html",
	} {
		pages[path] = template.Must(template.Must(frame.Clone()).ParseFS(pageFiles, "pages/"+file))
	}
}

// pageData is the data of the pages' templates.
type pageData struct {
	Path    string   // of this page
	Links   []link   // of the navigation
	Servers []string // wss:// and host of each node, this one first
}

type link struct{ Path, Name string }

var links = []link{
	{"/", "wss demo"}, {"/chat", "Chat"}, {"/market", "Market"}, {"/game", "Game"}, {"/monitor", "Monitor"}, {"/echo.html", "Echo"},
}

// servePage serves a page. Its policy lets in the scripts and the style of this server, and connections to the nodes: nothing else.
func servePage(page *template.Template, servers []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		if err := page.Execute(&body, pageData{Path: r.URL.Path, Links: links, Servers: servers}); err != nil {
			http.Error(w, "the page cannot be made", http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; "+
			"connect-src 'self' "+strings.Join(servers, " ")+"; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-cache")
		_, _ = w.Write(body.Bytes()) // a visitor who has left needs no page
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
