package main

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func getPage(t *testing.T) (*http.Response, string) {
	t.Helper()
	w := httptest.NewRecorder()
	servePage(pages["/echo.html"], []string{"wss://localhost:1", "wss://localhost:2"}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/echo.html", nil))
	return w.Result(), w.Body.String()
}

func TestPageAllowsItsOwnScriptAlone(t *testing.T) {
	res, body := getPage(t)
	policy := res.Header.Get("Content-Security-Policy")
	nonce := regexp.MustCompile(`script-src 'self' 'nonce-(\w{20,})'`).FindStringSubmatch(policy)
	if nonce == nil {
		t.Fatalf("no nonce in %q", policy)
	}
	for _, tag := range []string{"script", "style"} {
		if !strings.Contains(body, "<"+tag+` nonce="`+nonce[1]+`">`) {
			t.Errorf("the page's %s lacks the nonce", tag)
		}
	}
	for _, want := range []string{"default-src 'none'", "connect-src 'self' wss://localhost:1 wss://localhost:2", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy %q is not strict", policy)
	}
}

func TestPageNonceIsUsedOnce(t *testing.T) {
	first, _ := getPage(t)
	second, _ := getPage(t)
	if name := "Content-Security-Policy"; first.Header.Get(name) == second.Header.Get(name) {
		t.Error("two responses have the same nonce")
	}
}

func TestPageHeaders(t *testing.T) {
	res, _ := getPage(t)
	for name, want := range map[string]string{
		"Content-Type":               "text/html; charset=utf-8",
		"X-Content-Type-Options":     "nosniff",
		"Referrer-Policy":            "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin",
		"Cache-Control":              "no-store",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestPageLoadsNothingFromElsewhere(t *testing.T) {
	_, body := getPage(t)
	if found := regexp.MustCompile(`https?://|(src|href)="(?:[^d]|d[^a])`).FindString(body); found != "" {
		t.Errorf("the page refers to something outside: %q", found)
	}
	if found := regexp.MustCompile(`\son\w+=|style="`).FindString(body); found != "" {
		t.Errorf("the policy blocks %q", found)
	}
}
