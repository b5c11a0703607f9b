package main

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func getPage(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	w := httptest.NewRecorder()
	servePage(pages[path], []string{"wss://localhost:1", "wss://localhost:2"}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, strings.TrimSuffix(path, "{$}"), nil))
	return w.Result(), w.Body.String()
}

func TestPageHeaders(t *testing.T) {
	res, _ := getPage(t, "/echo.html")
	for name, want := range map[string]string{
		"Content-Type":               "text/html; charset=utf-8",
		"X-Content-Type-Options":     "nosniff",
		"Referrer-Policy":            "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin",
		"Cache-Control":              "no-cache",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	policy := res.Header.Get("Content-Security-Policy")
	for _, want := range []string{
		"default-src 'none'", "script-src 'self';", "style-src 'self';", "connect-src 'self' wss://localhost:1 wss://localhost:2;",
		"frame-ancestors 'none'", "base-uri 'none'",
	} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy %q is not strict", policy)
	}
}

func TestPagesLoadNothingFromElsewhere(t *testing.T) {
	for path := range pages {
		_, body := getPage(t, path)
		for _, link := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(body, -1) {
			if to := link[1]; to != "data:," && !strings.HasPrefix(to, "#") && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//")) {
				t.Errorf("%s refers to %q", path, to)
			}
		}
		if found := regexp.MustCompile(`https?://|\son\w+=|style="|<style|<script>`).FindString(body); found != "" {
			t.Errorf("the policy blocks %q in %s", found, path)
		}
	}
}

func TestPagesHaveWhatScreenReadersNeed(t *testing.T) {
	for path := range pages {
		_, body := getPage(t, path)
		for _, want := range []string{
			`<html lang="en">`, `<a class="skip" href="#main">`, `<nav aria-label="Pages">`, `<main id="main"`, "<h1>", `aria-current="page"`, `role="status"`,
		} {
			if n := strings.Count(body, want); n == 0 || n > 1 && want != `role="status"` {
				t.Errorf("%s has %q %d times", path, want, n)
			}
		}
	}
}

// TestColoursHaveContrast: of text and of the marks that mean something, in light and in dark (WCAG 2.2, 1.4.3 and 1.4.11).
func TestColoursHaveContrast(t *testing.T) {
	style, err := pageFiles.ReadFile("pages/style.css")
	if err != nil {
		t.Fatal(err)
	}
	colours := map[string][]string{}
	for _, m := range regexp.MustCompile(`--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)`).FindAllStringSubmatch(string(style), -1) {
		colours[m[1]] = m[2:]
	}
	for pair, least := range map[string]float64{
		"text back": 4.5, "text card": 4.5, "faint back": 4.5, "faint card": 4.5, "accent back": 4.5, "accent card": 4.5, "good back": 4.5, "good card": 4.5,
		"bad back": 4.5, "bad card": 4.5, "on-accent accent": 4.5, "on-accent bad": 4.5, "edge back": 3, "edge card": 3, "star card": 3,
	} {
		a, b, _ := strings.Cut(pair, " ")
		for i, scheme := range []string{"light", "dark"} {
			if colours[a] == nil || colours[b] == nil {
				t.Fatalf("the style lacks %s", pair)
			}
			if got := contrast(colours[a][i], colours[b][i]); got < least {
				t.Errorf("%s, %s: %.2f, want %v", pair, scheme, got, least)
			}
		}
	}
}

// contrast returns the contrast of two colours such as #1b1f27.
func contrast(a, b string) float64 {
	light, dark := luminance(a), luminance(b)
	return (max(light, dark) + 0.05) / (min(light, dark) + 0.05)
}

func luminance(colour string) float64 {
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			panic(fmt.Sprintf("%q is no colour", colour))
		}
		v := float64(n) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}
