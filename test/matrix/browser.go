package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"

	"github.com/seed-c4549abd/wss/test/browsers"
	"github.com/seed-c4549abd/wss/test/process"
)

func init() {
	allFamilies["browser"] = &family{install: installBrowsers}
	for _, p := range []*peer{
		{name: "Chromium", command: browserPeer("chromium")},
		{name: "Firefox", command: browserPeer("firefox")},
		{name: "WebKitGTK", command: browserPeer("webkit"), cannot: map[string]string{"wrong CA": "MiniBrowser takes no authority: it is run with --ignore-tls-errors"}},
	} {
		p.family, p.roles = "browser", clientOnly
		peers = append(peers, p)
	}
}

func installBrowsers(ctx context.Context, m *matrix) (string, error) {
	return "", browsers.Install(ctx, m.log)
}

// browserPeer is this program again, as browserProgram.
func browserPeer(name string) func(*matrix, string) process.Command {
	return func(m *matrix, _ string) process.Command {
		self, err := os.Executable()
		if err != nil {
			self = os.Args[0]
		}
		return process.Command{Args: []string{self, "browser", name, m.program("browser/page.html")}}
	}
}

// browserProgram is called as the peers' programs are, behind a browser's name and the page.
func browserProgram(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) < 3 {
		return errors.New("want a browser, its page and what to do")
	}
	b, err := browsers.Find(args[0])
	if err != nil {
		return err
	}
	if args[2] == "version" {
		text, err := b.Version(ctx)
		fmt.Fprintln(stdout, text)
		return err
	}
	if args[2] != "client" || len(args) < 5 {
		return fmt.Errorf("a browser is a client only: %q", args[2:])
	}
	page, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	return showPage(ctx, b, page, args[3], args[4:], stdout)
}

// showPage serves the page, shows it, and prints what it tells.
func showPage(ctx context.Context, b browsers.Browser, page []byte, caFile string, urls []string, stdout io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page)
	})
	mux.HandleFunc("GET /urls", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(urls) })
	mux.HandleFunc("POST /end", func(w http.ResponseWriter, r *http.Request) {
		var line bytes.Buffer
		_, _ = line.ReadFrom(http.MaxBytesReader(w, r.Body, 1<<16))
		fmt.Fprintf(stdout, "%s\n", line.Bytes())
	})
	done := make(chan struct{})
	mux.HandleFunc("POST /done", func(http.ResponseWriter, *http.Request) { close(done) })
	srv := &http.Server{Handler: mux}
	defer srv.Close()
	go func() { _ = srv.Serve(ln) }()
	dir, err := os.MkdirTemp("", "wss-browser-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	first, err := url.Parse(urls[0])
	if err != nil {
		return err
	}
	cmd, err := b.Command(ctx, dir, "http://"+ln.Addr().String()+"/", caFile, first.Host)
	if err != nil {
		return err
	}
	r, err := start(ctx, cmd)
	if err != nil {
		return err
	}
	defer r.Stop()
	select {
	case <-done:
		return nil
	case <-r.Done():
		return fmt.Errorf("the browser has ended:\n%s", r.out.Tail())
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
