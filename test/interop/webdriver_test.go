package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// fakeDriver speaks WebDriver for a page that is a map of texts by selector.
type fakeDriver struct {
	mu       sync.Mutex
	texts    map[string]string
	onClick  func(css string, texts map[string]string)
	onText   func() // called when a text is asked for, if it is not nil
	console  []string
	deleted  bool
	received map[string]any // of the new session
}

// session starts the fake and a session with it.
func (f *fakeDriver) session(t *testing.T) *webDriver {
	t.Helper()
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	d, err := newSession(t.Context(), srv.URL, map[string]any{"browserName": "fake"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.client.CloseIdleConnections)
	return d
}

func (f *fakeDriver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var body map[string]any
	_ = json.NewDecoder(r.Body).Decode(&body) // GET and DELETE have none
	status, value := f.answer(r.Method+" "+strings.TrimPrefix(r.URL.Path, "/session/1"), body)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"value": value})
}

// answer carries out a command. An element's id is its selector, in hexadecimal.
func (f *fakeDriver) answer(command string, body map[string]any) (int, any) {
	switch command {
	case "POST /session":
		f.received = body
		return http.StatusOK, map[string]any{"sessionId": "1"}
	case "DELETE ":
		f.deleted = true
		return http.StatusOK, nil
	case "POST /url":
		f.onClick("url", f.texts)
		return http.StatusOK, nil
	case "POST /se/log":
		entries := []map[string]any{{"level": "INFO", "message": "harmless"}}
		for _, message := range f.console {
			entries = append(entries, map[string]any{"level": "SEVERE", "message": message})
		}
		return http.StatusOK, entries
	case "POST /element":
		css := body["value"].(string)
		if _, found := f.texts[css]; !found {
			return http.StatusNotFound, map[string]any{"error": "no such element", "message": css}
		}
		return http.StatusOK, map[string]any{elementKey: fmt.Sprintf("%x", css)}
	}
	var id, action string
	if _, err := fmt.Sscanf(strings.NewReplacer("/element/", "", "/", " ").Replace(command[strings.Index(command, " ")+1:]), "%s %s", &id, &action); err != nil {
		return http.StatusNotFound, map[string]any{"error": "unknown command", "message": command}
	}
	var css []byte
	_, _ = fmt.Sscanf(id, "%x", &css)
	switch action {
	case "click":
		f.onClick(string(css), f.texts)
	case "clear":
		f.texts[string(css)] = ""
	case "value":
		f.texts[string(css)] += body["text"].(string)
	case "text":
		if f.onText != nil {
			f.onText()
		}
		return http.StatusOK, f.texts[string(css)]
	}
	return http.StatusOK, nil
}

func TestSessionSendsCapabilitiesAndEnds(t *testing.T) {
	f := &fakeDriver{}
	d := f.session(t)
	if got := fmt.Sprint(f.received); got != "map[capabilities:map[alwaysMatch:map[browserName:fake]]]" {
		t.Errorf("got %s", got)
	}
	if err := d.close(t.Context()); err != nil || !f.deleted {
		t.Errorf("not closed: %v", err)
	}
}

func TestElementsAreFilledAndClicked(t *testing.T) {
	f := &fakeDriver{texts: map[string]string{"#in": "old", "#go": ""}}
	f.onClick = func(css string, texts map[string]string) { texts["#in"] += " after " + css }
	d := f.session(t)
	if err := d.fill(t.Context(), "#in", "new"); err != nil {
		t.Fatal(err)
	}
	if err := d.click(t.Context(), "#go"); err != nil {
		t.Fatal(err)
	}
	if text, err := d.text(t.Context(), "#in"); err != nil || text != "new after #go" {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestFailuresNameWhatTheDriverSaid(t *testing.T) {
	d := (&fakeDriver{}).session(t)
	if err := d.click(t.Context(), "#missing"); err == nil || !strings.Contains(err.Error(), "no such element: #missing") {
		t.Errorf("got %v", err)
	}
	if err := d.await(t.Context(), "#missing", "x"); err == nil {
		t.Error("want an error for an element that does not exist")
	}
}

func TestAnswersThatAreNotJSONFail(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	if _, err := newSession(t.Context(), srv.URL, nil); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %v", err)
	}
}

func TestAwaitPollsUntilThePageShowsIt(t *testing.T) {
	f := &fakeDriver{texts: map[string]string{"#state": "connecting"}}
	d := f.session(t)
	done := make(chan error, 1)
	go func() { done <- d.await(t.Context(), "#state", "^open$") }()
	f.mu.Lock()
	f.texts["#state"] = "open"
	f.mu.Unlock()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAwaitSaysWhatThePageShowsInstead(t *testing.T) {
	f := &fakeDriver{texts: map[string]string{"#state": "connecting"}}
	d := f.session(t)
	late := errors.New("late")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	polls := 0
	f.onText = func() {
		if polls++; polls == 3 {
			cancel(late)
		}
	}
	err := d.await(ctx, "#state", "^open$")
	if !errors.Is(err, late) || !strings.Contains(err.Error(), `shows "connecting", want "^open$"`) {
		t.Errorf("got %v", err)
	}
}

func TestConsoleErrorsAreTheSevereOnes(t *testing.T) {
	d := (&fakeDriver{console: []string{"blocked"}}).session(t)
	if got, err := d.errors(t.Context()); err != nil || len(got) != 1 || got[0] != "blocked" {
		t.Errorf("got %q, %v", got, err)
	}
}
