package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/test/process"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// wasmTime bounds the page's part, the build not included.
const wasmTime = 2 * time.Minute

// runWasm has a program that was compiled for GOOS=js dial our server from a page in Chromium.
func runWasm(ctx context.Context, b *bench) error {
	if _, _, err := installBrowser(ctx, b); err != nil {
		return err // before the program is built
	}
	files, err := wasmFiles(ctx, b.work)
	if err != nil {
		return err
	}
	ca, err := tlsconf.Development(tlsconf.DevOptions{Dir: filepath.Join(b.work, "wasm-ca")})
	if err != nil {
		return err
	}
	s, err := startServer(ca)
	if err != nil {
		return err
	}
	defer s.close()
	for name, data := range files {
		s.mux.HandleFunc("GET /wasm/"+name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
		})
	}
	ctx, cancel := context.WithTimeoutCause(ctx, wasmTime, fmt.Errorf("not done after %v", wasmTime))
	defer cancel()
	page := "https" + strings.TrimPrefix(s.url, "wss") + "/wasm/wasm.html"
	hash, err := keyHash(ctx, page, ca.CAPEM())
	if err != nil {
		return err
	}
	return b.withBrowser(ctx, "chromium-wasm", hash, func(session *webDriver) error {
		lines, err := wasmResults(ctx, session, page)
		if err != nil {
			return err
		}
		reportWasm(b.report, lines)
		b.report.add("wasm: closed with 4001, as the server saw it", s.sawClose(ctx, "wasm-closes", conn.StatusCode(4001), "grüße"))
		return nil
	})
}

// wasmFiles builds the program, and returns what its page needs.
func wasmFiles(ctx context.Context, work string) (map[string][]byte, error) {
	program := filepath.Join(work, "main.wasm")
	if _, err := runCommand(ctx, process.Command{
		Args: []string{"go", "build", "-o", program, "github.com/seed-c4549abd/wss/test/interop/wasm"},
		Env:  append(os.Environ(), "GOOS=js", "GOARCH=wasm"),
	}); err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	var err error
	if files["main.wasm"], err = os.ReadFile(program); err != nil {
		return nil, err
	}
	root, err := runCommand(ctx, process.Command{Args: []string{"go", "env", "GOROOT"}})
	if err != nil {
		return nil, err
	}
	support := filepath.Join(strings.TrimSpace(root), "lib", "wasm", "wasm_exec.js")
	if files["wasm_exec.js"], err = os.ReadFile(support); err != nil {
		return nil, fmt.Errorf("the Go installation (%s) lacks its file for browsers: %w", runtime.Version(), err)
	}
	files["wasm.html"], err = scripts.ReadFile("wasm.html")
	return files, err
}

// wasmResults opens the page, and returns its lines when it is done.
func wasmResults(ctx context.Context, session *webDriver, page string) (string, error) {
	if err := session.navigate(ctx, page); err != nil {
		return "", err
	}
	if err := session.await(ctx, "#state", `^(done|failed: .*)$`); err != nil {
		return "", err
	}
	lines, err := session.text(ctx, "#results")
	if err != nil {
		return "", err
	}
	state, err := session.text(ctx, "#state")
	if err == nil && state != "done" {
		err = fmt.Errorf("the page %s\n%s", state, lines)
	}
	return lines, err
}

// reportWasm reports the page's lines: "ok" or "FAIL", and the check's name, with the error behind a colon.
func reportWasm(r *report, lines string) {
	scanner := bufio.NewScanner(strings.NewReader(lines))
	for scanner.Scan() {
		verdict, name, _ := strings.Cut(scanner.Text(), " ")
		name, why, _ := strings.Cut(name, ": ")
		var err error
		if verdict != "ok" {
			err = errors.New(why)
		}
		r.add("wasm: "+name, err)
	}
}
