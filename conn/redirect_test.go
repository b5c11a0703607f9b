package conn

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/handshake"
)

// hops is a server whose paths redirect; /echo accepts. It records what it is asked.
type hops struct {
	mu   sync.Mutex
	seen []*http.Request
	to   map[string]string // path to Location; a value without one is left out
	set  map[string]string // path to Set-Cookie
	code int
	body string
}

func (h *hops) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.seen = append(h.seen, r)
	location, ok := h.to[r.URL.Path]
	if set := h.set[r.URL.Path]; set != "" {
		w.Header().Set("Set-Cookie", set)
	}
	h.mu.Unlock()
	if !ok {
		echoHandler(&AcceptOptions{AllowAnyOrigin: true}).ServeHTTP(w, r)
		return
	}
	if location != "" {
		w.Header().Set("Location", location)
	}
	code := h.code
	if code == 0 {
		code = http.StatusFound
	}
	w.WriteHeader(code)
	_, _ = io.WriteString(w, h.body)
}

// last returns the last request, and how many there were.
func (h *hops) last() (*http.Request, int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.seen) == 0 {
		return nil, 0
	}
	return h.seen[len(h.seen)-1], len(h.seen)
}

// TestRedirectsAreFollowedWhenAskedFor, of each status and in each form of Location; not by default, and not beyond the bound.
func TestRedirectsAreFollowedWhenAskedFor(t *testing.T) {
	t.Parallel()
	for _, code := range []int{301, 302, 303, 307, 308} {
		h := &hops{code: code, to: map[string]string{"/a": "/b?x=1", "/b": "echo#fragment"}}
		url, o := serve(t, h, true, true)
		_, resp, err := Dial(bg, url+"/a", o)
		if e, ok := errors.AsType[*HandshakeError](err); !ok || e.Token != "bad_status" || resp == nil || resp.StatusCode != code {
			t.Errorf("by default: %v", err)
		}
		one, two := *o, *o
		one.MaxRedirects, two.MaxRedirects = 1, 2
		_, resp, err = Dial(bg, url+"/a", &one)
		if e, ok := errors.AsType[*HandshakeError](err); !ok || e.Token != "too_many_redirects" || e.Status != code || resp == nil ||
			e.Response != resp || resp.Header.Get("Location") != "echo#fragment" {
			t.Errorf("beyond the bound: %v", err)
		}
		exchangeEcho(t, url+"/a", &two, nil)
		if r, n := h.last(); n != 6 || r.URL.String() != "/echo" {
			t.Errorf("%d requests, the last of %v", n, r.URL)
		}
	}
	h := &hops{to: map[string]string{}}
	url, o := serve(t, h, true, true)
	host := strings.TrimPrefix(url, "wss://")
	o.MaxRedirects = 1
	for name, location := range map[string]string{ // of /a/b
		"wss": url + "/echo", "https": "https://" + host + "/echo", "another case": "HTTPS://" + host + "/echo",
		"no scheme": "//" + host + "/echo", "a path": "/echo", "dots": "../x/../echo",
		"a user": "wss://evil:user@" + host + "/echo", "not escaped": "/\u00fc b",
	} {
		h.mu.Lock()
		h.to = map[string]string{"/a/b": location}
		h.mu.Unlock()
		exchangeEcho(t, url+"/a/b", o, nil)
		if r, _ := h.last(); r.Header.Get("Authorization") != "" {
			t.Errorf("%s: sent %v", name, r.Header)
		}
	}
}

// TestRedirectsThatAreNotFollowed: each is a typed error with the answer, and nobody else is dialed.
func TestRedirectsThatAreNotFollowed(t *testing.T) {
	t.Parallel()
	h := &hops{body: "what it says"}
	url, o := serve(t, h, true, true)
	host := strings.TrimPrefix(url, "wss://")
	o.MaxRedirects = 5
	for _, tt := range []struct{ name, location, says string }{
		{"no Location", "", "without a Location"},
		{"wss to ws", "ws://" + host + "/", "from wss to ws"},
		{"wss to http", "http://" + host + "/?secret", "from wss to ws"},
		{"another scheme", "ftp://" + host + "/", "another scheme"},
		{"a file", "file:///etc/passwd", "another scheme"},
		{"not a URL", "wss://host:port/secret", "not a URL"},
		{"no host", "wss:///?secret", "cannot be dialed"},
		{"opaque", "wss:host", "cannot be dialed"},
		{"an invalid host", "wss://a\uff0fb.example/", "cannot be dialed"},
	} {
		h.mu.Lock()
		h.to = map[string]string{"/": tt.location}
		h.mu.Unlock()
		_, resp, err := Dial(bg, url, o)
		e, ok := errors.AsType[*HandshakeError](err)
		if !ok || e.Token != "bad_redirect" || e.Status != 302 || resp == nil || e.Response != resp || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: says %v", tt.name, err)
		}
		if body, _ := io.ReadAll(resp.Body); string(body) != h.body {
			t.Errorf("%s: body %q", tt.name, body)
		}
	}
	if _, n := h.last(); n != 9 {
		t.Errorf("%d requests", n)
	}
	h.mu.Lock()
	h.to, h.code = map[string]string{"/": "/"}, 300
	h.mu.Unlock()
	if _, _, err := Dial(bg, url, o); err == nil || !strings.Contains(err.Error(), "bad_status") || strings.Contains(err.Error(), "not followed") {
		t.Errorf("300: %v", err)
	}
}

// TestARedirectLoopEnds: at the bound, however large it is by HandshakeTimeout.
func TestARedirectLoopEnds(t *testing.T) {
	t.Parallel()
	h := &hops{to: map[string]string{"/a": "/b", "/b": "/a"}}
	url, o := serve(t, h, false, true)
	o.MaxRedirects = 10
	if _, _, err := Dial(bg, url+"/a", o); err == nil || !strings.Contains(err.Error(), "too_many_redirects") {
		t.Error(err)
	}
	if _, n := h.last(); n != 11 {
		t.Errorf("%d requests", n)
	}
	o.MaxRedirects, o.HandshakeTimeout = 1<<30, 50*time.Millisecond
	if _, _, err := Dial(bg, url+"/a", o); err == nil {
		t.Error("accepted")
	}
}

// TestEveryRedirectHasItsProxy: Proxy is asked for each.
func TestEveryRedirectHasItsProxy(t *testing.T) {
	t.Parallel()
	home, away := &hops{}, &hops{}
	homeURL, o := serve(t, home, true, true)
	awayURL, _ := serve(t, away, true, true)
	home.to = map[string]string{"/": awayURL + "/echo"}
	first, second := startProxy(t, rules{}), startProxy(t, rules{secure: true})
	o = second.through(o)
	o.MaxRedirects = 1
	o.Proxy = func(r *http.Request) (*url.URL, error) {
		if r.URL.Host == strings.TrimPrefix(homeURL, "wss://") {
			return first.url(), nil
		}
		return second.url(), nil
	}
	exchangeEcho(t, homeURL, o, nil)
	for p, host := range map[*httpProxy]string{first: homeURL, second: awayURL} {
		if seen := p.seen(); len(seen) != 1 || seen[0].Host != strings.TrimPrefix(host, "wss://") {
			t.Errorf("a proxy saw %v", seen)
		}
	}
}

// TestClientFollowsNoRedirect: it has one connection.
func TestClientFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	url, o := serve(t, &hops{to: map[string]string{"/": "/echo"}, body: "moved"}, false, true)
	o.MaxRedirects = 5
	nc, err := withoutDeadlines(bg, "tcp", strings.TrimPrefix(url, "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	_, resp, err := Client(bg, nc, url, o)
	if body, _ := io.ReadAll(resp.Body); string(body) != "moved" {
		t.Errorf("body %q", body)
	}
	if e, ok := errors.AsType[*HandshakeError](err); !ok || e.Token != "bad_status" || !strings.Contains(err.Error(), "not followed") {
		t.Error(err)
	}
}

// TestCredentialsDoNotCrossOrigins: of scheme, host or port, also when a redirect leads back; to the same origin they go.
func TestCredentialsDoNotCrossOrigins(t *testing.T) {
	t.Parallel()
	home, away := &hops{}, &hops{}
	homeURL, o := serve(t, home, true, true)
	awayURL, _ := serve(t, away, true, true) // another port
	plain := &hops{}
	plainURL, _ := serve(t, plain, false, true)
	home.to = map[string]string{
		"/same": "/echo", "/absolute": "https" + strings.TrimPrefix(homeURL, "wss") + "/echo", "/port": awayURL + "/echo",
		"/and-back": awayURL + "/back", "/host": "wss://localhost:" + portOf(t, homeURL) + "/echo",
	}
	home.to["/and-on"], home.to["/user"] = awayURL+"/on", strings.Replace(awayURL, "://", "://evil:user@", 1)+"/echo"
	away.to = map[string]string{"/back": homeURL + "/echo", "/on": "/echo"}
	plain.to = map[string]string{"/up": homeURL + "/echo"}
	o.MaxRedirects, o.Host = 3, "virtual.example"
	o.Header = http.Header{
		"authorization": {"Bearer secret"}, "Cookie": {"session=secret"}, "Proxy-Authorization": {"Basic secret"}, "X-Api-Key": {"secret"},
		"Origin": {"https://page.example"}, "User-Agent": {"agent"},
	}
	withUser := *o
	withUser.Header = nil
	for _, tt := range []struct {
		from    string
		ends    *hops
		foreign bool
	}{
		{homeURL + "/same", home, false}, {homeURL + "/absolute", home, false},
		{homeURL + "/port", away, true}, {homeURL + "/host", home, true},
		{homeURL + "/and-back", home, true}, {homeURL + "/and-on", away, true}, {homeURL + "/user", away, true}, {plainURL + "/up", home, true},
	} {
		user := strings.Replace(tt.from, "://", "://user:secret@", 1)
		for _, o := range []*DialOptions{o, &withUser} {
			c, resp, err := Dial(bg, user, o)
			if err == nil {
				err = c.Close(StatusNormalClosure, "")
			}
			r, _ := tt.ends.last()
			if resp == nil || err != nil || r.URL.Path != "/echo" {
				t.Fatalf("%s: %v", tt.from, err)
			}
			text := r.Host + " " + strings.Join(append(r.Header["Authorization"], append(r.Header["Cookie"], append(r.Header["X-Api-Key"], r.Header["Proxy-Authorization"]...)...)...), " ")
			want := "virtual.example Basic dXNlcjpzZWNyZXQ="
			if o.Header != nil {
				want = "virtual.example Bearer secret session=secret secret Basic secret"
			}
			if tt.foreign {
				want = r.Host + " "
				if r.Host == o.Host {
					t.Errorf("%s: Host is %s", tt.from, r.Host)
				}
			}
			if text != want {
				t.Errorf("%s: sent %q, want %q", tt.from, text, want)
			}
			if o.Header != nil && (r.Header.Get("Origin") == "" || r.Header.Get("User-Agent") != "agent") {
				t.Errorf("%s: sent %v", tt.from, r.Header)
			}
		}
	}
}

func TestOriginsAreSchemeHostAndPort(t *testing.T) {
	t.Parallel()
	for b, same := range map[string]bool{
		"wss://a.example/x": true, "https://A.example:443": true, "wss://a.example:444": false, "wss://b.example": false,
		"ws://a.example:443": false, "wss://a.example.": false,
	} {
		u, err := handshake.ParseURL(b)
		if err != nil {
			t.Fatal(err)
		}
		if got := sameOrigin(mustParse(t, "wss://a.example"), u); got != same {
			t.Errorf("%s: %v", b, got)
		}
	}
}

func portOf(t *testing.T, raw string) string { return mustParse(t, raw).Port() }

// TestTheNameOfOneHostIsNotForAnother: ServerName and client certificates stay with the first origin.
func TestTheNameOfOneHostIsNotForAnother(t *testing.T) {
	t.Parallel()
	a, err := (&DialOptions{TLS: &tls.Config{ServerName: "first.example", Certificates: make([]tls.Certificate, 1)}}).attempt("wss://first.example/")
	if err != nil {
		t.Fatal(err)
	}
	a.o.MaxRedirects = 1
	for location, want := range map[string]string{"/b": "first.example", "wss://second.example/": "second.example"} {
		next, problem := a.redirected(&http.Response{Header: http.Header{"Location": {location}}})
		if problem != "" {
			t.Fatal(problem)
		}
		cfg, err := next.tlsConfig()
		if err != nil || cfg.ServerName != want || (len(cfg.Certificates) == 0) != next.crossOrigin {
			t.Errorf("%s: %s, %d certificates, %v", location, cfg.ServerName, len(cfg.Certificates), err)
		}
	}
	if len(a.o.TLS.Certificates) == 0 {
		t.Error("the caller's configuration was changed")
	}
}

// TestCookies: the jar's go with the request, behind those of Header, and what any answer sets goes into it.
func TestCookies(t *testing.T) {
	t.Parallel()
	h := &hops{
		to:  map[string]string{"/login": "/middle", "/middle": "/echo", "/refused": ""},
		set: map[string]string{"/login": "session=new; Path=/", "/echo": "last=1; Path=/; HttpOnly", "/refused": "refused=1"},
	}
	url, o := serve(t, h, true, true)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	site := mustParse(t, "https"+strings.TrimPrefix(url, "wss"))
	jar.SetCookies(site, []*http.Cookie{{Name: "stored", Value: "1", Secure: true}, {Name: "quoted", Value: "a b", Path: "/"}})
	o.Jar, o.MaxRedirects = jar, 3
	field := strings.ToLower("Cookie") // not canonical, which works too
	o.Header = http.Header{field: {"own=1; session=old", "more=2"}}
	_, _, _ = Dial(bg, url+"/refused", &DialOptions{TLS: o.TLS, Jar: jar})
	exchangeEcho(t, url+"/login", o, nil)
	var sent []string
	for _, r := range h.seen {
		if len(r.Header["Cookie"]) != 1 {
			t.Errorf("%d fields", len(r.Header["Cookie"]))
		}
		sent = append(sent, r.URL.Path+" "+r.Header.Get("Cookie"))
	}
	want := []string{
		`/refused stored=1; quoted="a b"`,
		`/login own=1; session=old; more=2; stored=1; quoted="a b"; refused=1`,
		`/middle own=1; more=2; stored=1; quoted="a b"; refused=1; session=new`,
		`/echo own=1; more=2; stored=1; quoted="a b"; refused=1; session=new`,
	}
	if strings.Join(sent, "\n") != strings.Join(want, "\n") {
		t.Errorf("sent\n%s\nwant\n%s", strings.Join(sent, "\n"), strings.Join(want, "\n"))
	}
	if len(o.Header) != 1 || o.Header[field][1] != "more=2" {
		t.Errorf("the caller's header was changed: %v", o.Header)
	}
	var names []string
	for _, c := range jar.Cookies(site) {
		names = append(names, c.Name)
	}
	if got := strings.Join(names, " "); got != "stored quoted refused session last" {
		t.Errorf("the jar holds %s", got)
	}
}

// TestTheJarIsAskedByTheHTTPURL, without user and password, and never about a proxy's answer.
func TestTheJarIsAskedByTheHTTPURL(t *testing.T) {
	t.Parallel()
	jar := &askedJar{}
	p := startProxy(t, rules{answer: saying("HTTP/1.1 403 Forbidden\r\nSet-Cookie: proxy=1\r\nContent-Length: 0\r\n\r\n")})
	proxyError(t, "wss://u:secret@host.invalid/a", p.through(&DialOptions{Jar: jar}))
	plain, _ := serve(t, &hops{set: map[string]string{"/b": "x=1"}}, false, true)
	exchangeEcho(t, plain+"/b?c", &DialOptions{Jar: jar}, nil)
	site := "http" + strings.TrimPrefix(plain, "ws") + "/b?c"
	want := []string{"https://host.invalid/a", site, "1 set for " + site}
	if got := strings.Join(jar.asked, ", "); got != strings.Join(want, ", ") {
		t.Errorf("the jar was asked: %s", got)
	}
}

type askedJar struct{ asked []string }

func (j *askedJar) Cookies(u *url.URL) []*http.Cookie {
	j.asked = append(j.asked, u.String())
	return nil
}
func (j *askedJar) SetCookies(u *url.URL, c []*http.Cookie) {
	j.asked = append(j.asked, strconv.Itoa(len(c))+" set for "+u.String())
}
