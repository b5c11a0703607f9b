package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// browser has Chromium's page connect to our server once for each of its settings.
func (z *compressionBench) browser(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, compressionTime, fmt.Errorf("not done after %v", compressionTime))
	defer cancel()
	links := browserLinks()
	s, err := startEchoes(z.ca, links)
	if err != nil {
		return err
	}
	defer s.close()
	if err := z.servePage(s); err != nil {
		return err
	}
	page := fmt.Sprintf("https://localhost:%d/", s.port)
	hash, err := keyHash(ctx, page, z.ca.CAPEM())
	if err != nil {
		return err
	}
	return z.withBrowser(ctx, "chromium-compression", hash, func(session *webDriver) error {
		t := &tally{name: "compression, browser", began: time.Now()}
		theirs, err := pageOutcomes(ctx, session, page)
		if err != nil {
			return err
		}
		for _, l := range links {
			z.judge(ctx, t, s, l, theirs[l.ID], false)
		}
		t.report(z.report)
		return nil
	})
}

// servePage adds the page, its script, the plan and the data to our server.
func (z *compressionBench) servePage(s *echoes) error {
	planText, err := json.Marshal(z.plan(s.links))
	if err != nil {
		return err
	}
	files := map[string][]byte{"plan.json": planText}
	for kind, data := range z.data {
		files[kind] = data
	}
	for path, name := range map[string]string{"{$}": "compression.html", sharedScript: sharedScript} {
		if files[path], err = scripts.ReadFile(name); err != nil {
			return err
		}
	}
	for path, data := range files {
		s.mux.HandleFunc("GET /"+path, func(w http.ResponseWriter, r *http.Request) {
			switch path {
			case "{$}":
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
			case sharedScript:
				w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
			}
			http.ServeContent(w, r, path, time.Time{}, bytes.NewReader(data))
		})
	}
	return nil
}

// pageOutcomes opens the page, and returns what it shows when it is done.
func pageOutcomes(ctx context.Context, session *webDriver, page string) (map[int]*linkOutcome, error) {
	if err := session.navigate(ctx, page); err != nil {
		return nil, err
	}
	if err := session.await(ctx, "#state", `^(done|failed: .*)$`); err != nil {
		return nil, err
	}
	state, err := session.text(ctx, "#state")
	if err != nil {
		return nil, err
	}
	if state != "done" {
		return nil, fmt.Errorf("the page %s", state)
	}
	lines, err := session.text(ctx, "#outcomes")
	return outcomes(strings.Split(lines, "\n")), err
}
