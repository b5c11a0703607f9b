package conn_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-c4549abd/wss/conn"
)

// connectProxy is a proxy for HTTP CONNECT that wants the user "u" with the password "p".
func connectProxy() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Proxy-Authorization") != "Basic dTpw" {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		to, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer to.Close()
		from, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer from.Close()
		fmt.Println("through the proxy")
		_, _ = io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
		go func(r *bufio.Reader) { _, _ = io.Copy(to, r); _ = to.Close() }(rw.Reader)
		_, _ = io.Copy(from, to)
	}))
}

// A proxy of one's own, whatever the environment says.
func ExampleDialOptions_proxy() {
	srv, target, options := echoServer()
	defer srv.Close()
	proxy := connectProxy()
	defer proxy.Close()

	u, err := url.Parse(proxy.URL) // or "socks5://user:password@proxy.example:1080"
	if err != nil {
		fmt.Println(err)
		return
	}
	u.User = url.UserPassword("u", "p")
	options.Proxy = http.ProxyURL(u)
	c, _, err := conn.Dial(context.Background(), target, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Close(conn.StatusNormalClosure, ""))
	// Output:
	// through the proxy
	// <nil>
}

// No proxy, whatever the environment says.
func ExampleDialOptions_noProxy() {
	srv, target, options := echoServer()
	defer srv.Close()
	options.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
	c, _, err := conn.Dial(context.Background(), target, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Close(conn.StatusNormalClosure, ""))
	// Output: <nil>
}

// A proxy that refuses says why.
func ExampleProxyError() {
	proxy := connectProxy()
	defer proxy.Close()
	u, err := url.Parse(proxy.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _, err = conn.Dial(context.Background(), "wss://chat.example/", &conn.DialOptions{Proxy: http.ProxyURL(u)})
	if refused, ok := errors.AsType[*conn.ProxyError](err); ok {
		fmt.Println(refused.Token, refused.Response.StatusCode)
	}
	// Output: proxy_auth 407
}

// wss over a unix socket: the URL's host is what the certificate must name.
func ExampleDialOptions_unixSocket() {
	dir, err := os.MkdirTemp("", "wss")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "socket")
	ln, err := net.Listen("unix", path)
	if err != nil {
		fmt.Println(err)
		return
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, nil); err == nil {
			_ = c.Write(c.Context(), conn.Text, []byte("welcome"))
			_ = c.Close(conn.StatusNormalClosure, "")
		}
	}))
	_ = srv.Listener.Close()
	srv.Listener = conn.NewListener(ln)
	srv.StartTLS()
	defer srv.Close()

	c, _, err := conn.Dial(context.Background(), "wss://example.com/", &conn.DialOptions{
		TLS: srv.Client().Transport.(*http.Transport).TLSClientConfig,
		NetDial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for m, err := range c.Messages(context.Background()) {
		fmt.Println(string(m.Data), err)
	}
	// Output: welcome <nil>
}

// A session's cookie and a redirect: the login of an HTTP client can share the jar.
func ExampleDialOptions_redirect() {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/room" {
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "1", Path: "/", Secure: true})
			http.Redirect(w, r, "/room", http.StatusTemporaryRedirect)
			return
		}
		fmt.Println("cookies:", r.Header.Get("Cookie"))
		if c, err := conn.Accept(w, r, nil); err == nil {
			_ = c.Close(conn.StatusNormalClosure, "")
		}
	}))
	defer srv.Close()
	jar, err := cookiejar.New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	c, _, err := conn.Dial(context.Background(), "wss"+strings.TrimPrefix(srv.URL, "https"), &conn.DialOptions{
		TLS: srv.Client().Transport.(*http.Transport).TLSClientConfig, Jar: jar, MaxRedirects: 3,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _, err = c.Read(context.Background())
	fmt.Println(conn.CloseStatus(err))
	// Output:
	// cookies: session=1
	// 1000 (normal closure)
}
