package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"
)

// elementKey is the name of an element's reference in JSON (WebDriver §11).
const elementKey = "element-6066-11e4-a52e-4f735466cecf"

// pollInterval is how often a page is looked at while something is expected of it.
const pollInterval = 25 * time.Millisecond

// webDriver is a session with a browser, by the WebDriver protocol.
type webDriver struct {
	url    string // of the session
	client *http.Client
}

// newSession starts a browser.
func newSession(ctx context.Context, driverURL string, capabilities map[string]any) (*webDriver, error) {
	// A proxy in the environment is not for what runs here.
	d := &webDriver{url: driverURL, client: &http.Client{Transport: &http.Transport{}}}
	var session struct{ SessionID string }
	body := map[string]any{"capabilities": map[string]any{"alwaysMatch": capabilities}}
	if err := d.call(ctx, http.MethodPost, "/session", body, &session); err != nil {
		return nil, err
	}
	if session.SessionID == "" {
		return nil, errors.New("webdriver: the new session has no id")
	}
	d.url += "/session/" + session.SessionID
	return d, nil
}

// close ends the browser.
func (d *webDriver) close(ctx context.Context) error {
	err := d.call(ctx, http.MethodDelete, "", nil, nil)
	d.client.CloseIdleConnections()
	return err
}

// call sends a command and decodes its value into result, unless that is nil.
func (d *webDriver) call(ctx context.Context, method, path string, body, result any) error {
	var payload bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&payload).Encode(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, d.url+path, &payload)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	res, err := d.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var answer struct{ Value json.RawMessage }
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return fmt.Errorf("webdriver: %s %s: %s: %w", method, path, res.Status, err)
	}
	if res.StatusCode != http.StatusOK {
		var failure struct{ Error, Message string }
		_ = json.Unmarshal(answer.Value, &failure) // the status says enough
		return fmt.Errorf("webdriver: %s %s: %s: %s: %s", method, path, res.Status, failure.Error, failure.Message)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer.Value, result)
}

func (d *webDriver) navigate(ctx context.Context, url string) error {
	return d.call(ctx, http.MethodPost, "/url", map[string]string{"url": url}, nil)
}

// element finds the first element of a CSS selector and returns its path.
func (d *webDriver) element(ctx context.Context, css string) (string, error) {
	var found map[string]string
	err := d.call(ctx, http.MethodPost, "/element", map[string]string{"using": "css selector", "value": css}, &found)
	if err != nil {
		return "", err
	}
	return "/element/" + found[elementKey], nil
}

// do sends a command without a result to an element.
func (d *webDriver) do(ctx context.Context, css, command string, body any) error {
	element, err := d.element(ctx, css)
	if err != nil {
		return err
	}
	return d.call(ctx, http.MethodPost, element+command, body, nil)
}

func (d *webDriver) click(ctx context.Context, css string) error {
	return d.do(ctx, css, "/click", struct{}{})
}

// fill replaces what is in an input by keys that are typed. Chromium's driver types
// characters of the basic multilingual plane alone.
func (d *webDriver) fill(ctx context.Context, css, text string) error {
	if err := d.do(ctx, css, "/clear", struct{}{}); err != nil {
		return err
	}
	return d.do(ctx, css, "/value", map[string]string{"text": text})
}

// text returns an element's text, as it is rendered.
func (d *webDriver) text(ctx context.Context, css string) (string, error) {
	element, err := d.element(ctx, css)
	if err != nil {
		return "", err
	}
	var text string
	return text, d.call(ctx, http.MethodGet, element+"/text", nil, &text)
}

// await waits until an element's text matches a pattern.
func (d *webDriver) await(ctx context.Context, css, pattern string) error {
	re := regexp.MustCompile(pattern)
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	var last string
	for {
		text, err := d.text(ctx, css)
		if ctx.Err() != nil {
			return fmt.Errorf("%s shows %q, want %q: %w", css, last, pattern, context.Cause(ctx))
		}
		if err != nil {
			return err
		}
		if re.MatchString(text) {
			return nil
		}
		last = text
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// errors returns what the page's console shows of the level SEVERE.
func (d *webDriver) errors(ctx context.Context) ([]string, error) {
	var entries []struct{ Level, Message string }
	if err := d.call(ctx, http.MethodPost, "/se/log", map[string]string{"type": "browser"}, &entries); err != nil {
		return nil, err
	}
	var severe []string
	for _, e := range entries {
		if e.Level == "SEVERE" {
			severe = append(severe, e.Message)
		}
	}
	return severe, nil
}
