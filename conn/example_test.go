package conn_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// echoServer is the server that the examples talk to: wss over our listener.
func echoServer() (srv *httptest.Server, url string, o *conn.DialOptions) {
	srv = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, &conn.AcceptOptions{Subprotocols: []string{"echo"}})
		if err != nil {
			return
		}
		_ = c.Serve(c.Context(), func(c *conn.Conn, m conn.Message) error {
			return c.Write(c.Context(), m.Type, m.Data)
		})
	}))
	srv.Listener = conn.NewListener(srv.Listener)
	srv.StartTLS()
	cfg := srv.Client().Transport.(*http.Transport).TLSClientConfig
	return srv, "wss" + strings.TrimPrefix(srv.URL, "https"), &conn.DialOptions{TLS: cfg, Subprotocols: []string{"echo"}, CloseTimeout: time.Minute}
}

func ExampleDial() {
	srv, url, options := echoServer()
	defer srv.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	c, _, err := conn.Dial(ctx, url, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()
	if err := c.Write(ctx, conn.Text, []byte("hello")); err != nil {
		fmt.Println(err)
		return
	}
	typ, data, err := c.Read(ctx)
	fmt.Println(typ, string(data), err)
	fmt.Println(c.Subprotocol(), c.Close(conn.StatusNormalClosure, ""))
	// Output:
	// text hello <nil>
	// echo <nil>
}

func ExampleAccept() {
	handler := func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, nil)
		if err != nil {
			return // Accept has answered the request
		}
		defer c.CloseNow()
		for m, err := range c.Messages(r.Context()) {
			if err != nil {
				return
			}
			if err := c.Write(r.Context(), m.Type, m.Data); err != nil {
				return
			}
		}
	}
	// A browser's page of another origin is refused, with a status and a reason.
	r := httptest.NewRequest("GET", "https://chat.example/", nil)
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": "https://evil.example",
	} {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	handler(w, r)
	fmt.Println(w.Code)
	// Output: 403
}

func ExampleNewListener() {
	ca, err := tlsconf.Development(tlsconf.DevOptions{InMemory: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	cfg, err := tlsconf.Server(tlsconf.ServerOptions{GetCertificate: ca.GetCertificate})
	if err != nil {
		fmt.Println(err)
		return
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	srv := &http.Server{TLSConfig: cfg, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, nil); err == nil {
			_ = c.Write(c.Context(), conn.Text, []byte("welcome"))
			_ = c.Close(conn.StatusNormalClosure, "")
		}
	})}
	// Below TLS: ServeTLS puts crypto/tls over what our listener accepts.
	go func() { _ = srv.ServeTLS(conn.NewListener(ln), "", "") }()
	defer srv.Close()

	client, err := tlsconf.Client(tlsconf.ClientOptions{RootCAs: ca.Pool()})
	if err != nil {
		fmt.Println(err)
		return
	}
	c, _, err := conn.Dial(context.Background(), "wss://"+ln.Addr().String(), &conn.DialOptions{TLS: client})
	if err != nil {
		fmt.Println(err)
		return
	}
	for m, err := range c.Messages(context.Background()) {
		fmt.Println(string(m.Data), err)
	}
	// Output: welcome <nil>
}

func ExampleUpgrade() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()
	go func() {
		nc, err := conn.NewListener(ln).Accept() // tls.NewListener over it, for wss
		if err != nil {
			return
		}
		c, err := conn.Upgrade(context.Background(), nc, nil)
		if err == nil {
			_ = c.Close(conn.StatusGoingAway, "try again at noon")
		}
	}()
	c, _, err := conn.Dial(context.Background(), "ws://"+ln.Addr().String(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _, err = c.Read(context.Background())
	fmt.Println(err)
	// Output: websocket: closed by the peer with code 1001 (going away) and reason "try again at noon"
}

func ExampleClient() {
	srv, url, options := echoServer()
	defer srv.Close()
	nc, err := net.Dial("tcp", srv.Listener.Addr().String()) // or through a proxy
	if err != nil {
		fmt.Println(err)
		return
	}
	c, resp, err := conn.Client(context.Background(), nc, url, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.StatusCode, c.Close(conn.StatusNormalClosure, ""))
	// Output: 101 <nil>
}

func ExampleConn_Read() {
	srv, url, options := echoServer()
	defer srv.Close()
	c, _, err := conn.Dial(context.Background(), url, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()

	// Giving up a read does not harm the connection.
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	_, _, err = c.Read(ctx)
	cancel()
	fmt.Println(err)
	_ = c.Write(context.Background(), conn.Text, []byte("still here"))
	_, data, err := c.Read(context.Background())
	fmt.Println(string(data), err)
	// Output:
	// context deadline exceeded
	// still here <nil>
}

func ExampleConn_ReadInto() {
	srv, url, options := echoServer()
	defer srv.Close()
	c, _, err := conn.Dial(context.Background(), url, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()
	buf := make([]byte, 0, 4096)
	for _, word := range []string{"one", "two"} {
		_ = c.Write(context.Background(), conn.Text, []byte(word))
		_, buf, err = c.ReadInto(context.Background(), buf)
		fmt.Println(string(buf), cap(buf), err)
	}
	// Output:
	// one 4096 <nil>
	// two 4096 <nil>
}

func ExampleConn_Reader() {
	srv, url, options := echoServer()
	defer srv.Close()
	c, _, err := conn.Dial(context.Background(), url, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()

	w, err := c.Writer(context.Background(), conn.Text)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 3 {
		fmt.Fprintf(w, "part %d, ", i)
		_ = w.Flush() // a fragment of its own
	}
	_ = w.Close()
	typ, r, err := c.Reader(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := io.ReadAll(r)
	fmt.Println(typ, string(text), err)
	// Output: text part 0, part 1, part 2,  <nil>
}

func ExampleConn_Messages() {
	srv, url, options := echoServer()
	defer srv.Close()
	c, _, err := conn.Dial(context.Background(), url, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, word := range []string{"one", "two", "three"} {
		_ = c.Write(context.Background(), conn.Text, []byte(word))
	}
	for m, err := range c.Messages(context.Background()) {
		fmt.Println(string(m.Data), err)
		if string(m.Data) == "three" {
			break
		}
	}
	fmt.Println(c.Close(conn.StatusNormalClosure, ""))
	// Output:
	// one <nil>
	// two <nil>
	// three <nil>
	// <nil>
}

func ExampleConn_Serve() {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, nil)
		if err != nil {
			return
		}
		// The data is a view: copy what you keep. Replies are buffered and sent together.
		err = c.Serve(c.Context(), func(c *conn.Conn, m conn.Message) error {
			if string(m.Data) == "quit" {
				return &conn.CloseError{Code: 4000, Reason: "as you wish"}
			}
			return c.Write(c.Context(), m.Type, []byte(strings.ToUpper(string(m.Data))))
		})
		_ = err // how it ended
	}))
	srv.Listener = conn.NewListener(srv.Listener)
	srv.Start()
	defer srv.Close()

	c, _, err := conn.Dial(context.Background(), "ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, word := range []string{"loud", "quit"} {
		_ = c.Write(context.Background(), conn.Text, []byte(word))
		_, data, err := c.Read(context.Background())
		fmt.Printf("%q %v\n", data, err)
	}
	// Output:
	// "LOUD" <nil>
	// "" websocket: closed by the peer with code 4000 and reason "as you wish"
}

func ExampleConn_Write() {
	srv, url, options := echoServer()
	defer srv.Close()
	c, _, err := conn.Dial(context.Background(), url, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err = c.Write(ctx, conn.Text, []byte("too late"))
	if _, ok := errors.AsType[*conn.InterruptedError](err); ok {
		fmt.Println("the message is on its way")
	} else if errors.Is(err, context.Canceled) {
		fmt.Println("nothing was sent")
	}
	// Output: nothing was sent
}

// A message that is too long to be held is written as it is made.
func ExampleConn_Writer() {
	srv, url, options := echoServer()
	defer srv.Close()
	ctx := context.Background()
	c, _, err := conn.Dial(ctx, url, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()
	w, err := c.Writer(ctx, conn.Text)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Fprintf(w, "%d numbers:", 3)
	_, _ = io.Copy(w, strings.NewReader(" one two three"))
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}
	_, data, err := c.Read(ctx)
	fmt.Println(string(data), err)
	// Output: 3 numbers: one two three <nil>
}

// What a server on the open internet may want besides the defaults.
func ExampleAcceptOptions() {
	users := &conn.Group{MaxConns: 50_000, MaxPerAddress: 100, MaxAge: time.Hour}
	options := &conn.AcceptOptions{
		Group:        users,
		MessageLimit: 64 << 10,           // bytes of a message, inflated
		QueueLimit:   256 << 10,          // bytes that wait for a slow peer
		WhenFull:     conn.CloseWhenFull, // with 1013, the default
		MinRate:      1 << 10,            // bytes a second of a message that has begun
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, options); err == nil {
			c.ServeInBackground(func(c *conn.Conn, m conn.Message) error { return c.Write(c.Context(), m.Type, m.Data) }, nil)
		}
	})
}

func ExampleConn_Ping() {
	srv, url, options := echoServer()
	defer srv.Close()
	c, _, err := conn.Dial(context.Background(), url, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()
	c.CloseRead(context.Background()) // somebody has to receive the answer
	rtt, err := c.Ping(context.Background())
	fmt.Println(rtt > 0, c.Stats().RoundTrip == rtt, err)
	// Output: true true <nil>
}

func ExampleConn_NetConn() {
	srv, url, options := echoServer()
	defer srv.Close()
	c, _, err := conn.Dial(context.Background(), url, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	nc := c.NetConn(conn.Binary)
	fmt.Fprint(nc, "bytes in, ")
	fmt.Fprint(nc, "bytes out")
	buf := make([]byte, 19)
	_, err = io.ReadFull(nc, buf)
	fmt.Println(string(buf), err, nc.Close())
	// Output: bytes in, bytes out <nil> <nil>
}

func ExampleCloseStatus() {
	err := fmt.Errorf("room 7: %w", &conn.CloseError{Code: conn.StatusGoingAway, Remote: true})
	if conn.CloseStatus(err) == conn.StatusGoingAway {
		fmt.Println("the peer is leaving")
	}
	// Output: the peer is leaving
}

func ExampleConn_TLS() {
	srv, url, options := echoServer()
	defer srv.Close()
	c, _, err := conn.Dial(context.Background(), url, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	state, ok := c.TLS()
	fmt.Println(ok, tls.VersionName(state.Version), state.NegotiatedProtocol)
	_ = c.Close(conn.StatusNormalClosure, "")
	// Output: true TLS 1.3 http/1.1
}

func ExampleCompression() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, &conn.AcceptOptions{
			// Windows of 4 KiB: a connection keeps 8 KiB, whatever the client would like.
			Compression: conn.Compression{
				Mode: conn.CompressionTakeover, WindowBits: 12, PeerWindowBits: 12,
			},
		})
		if err != nil {
			return
		}
		ctx := c.Context()
		for range 50 {
			_ = c.Write(ctx, conn.Text, []byte(`{"symbol":"ACME","bid":99.50,"ask":99.75,"venue":"XETR","currency":"EUR","state":"open","halted":false,"lot":100,"source":"example"}`))
		}
		_ = c.Write(ctx, conn.Text, []byte(`{"token":"secret"}`), conn.Uncompressed)
		_ = c.Close(conn.StatusNormalClosure, "")
	}))
	defer srv.Close()

	ctx := context.Background()
	c, _, err := conn.Dial(ctx, "ws"+strings.TrimPrefix(srv.URL, "http"), &conn.DialOptions{
		Compression: conn.Compression{Mode: conn.CompressionTakeover},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	last := ""
	for m := range c.Messages(ctx) {
		if m.Data != nil {
			last = string(m.Data)
		}
	}
	s := c.Stats()
	fmt.Println(c.Compressed(), s.MessagesIn, s.WireIn < s.PayloadIn/2, last)
	// Output: true 51 true {"token":"secret"}
}

// The user of a connection, for handlers, observers and the filter of a broadcast.
func ExampleAcceptOptions_ConnContext() {
	type user struct{}
	group := &conn.Group{}
	options := &conn.AcceptOptions{
		Group: group,
		ConnContext: func(r *http.Request) context.Context {
			name, _, _ := r.BasicAuth() // verified by Check, or by middleware
			return context.WithValue(context.Background(), user{}, name)
		},
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, options); err == nil {
			c.ServeInBackground(func(c *conn.Conn, m conn.Message) error {
				text := fmt.Sprintf("%v says %s", c.Context().Value(user{}), m.Data)
				p, err := conn.Prepare(conn.Text, []byte(text))
				if err != nil {
					return err
				}
				others := func(other *conn.Conn) bool { return other.Context().Value(user{}) != c.Context().Value(user{}) }
				group.Broadcast(c.Context(), others, p)
				return nil
			}, nil)
		}
	}))
	defer srv.Close()
	host := strings.TrimPrefix(srv.URL, "http://")

	ctx := context.Background()
	ann, _, err := conn.Dial(ctx, "ws://ann:secret@"+host, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer ann.CloseNow()
	bob, _, err := conn.Dial(ctx, "ws://bob:secret@"+host, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer bob.CloseNow()
	if err := ann.Write(ctx, conn.Text, []byte("hello")); err != nil {
		log.Fatal(err)
	}
	_, text, err := bob.Read(ctx)
	fmt.Println(string(text), err)
	// Output: ann says hello <nil>
}

// The state of a game: a client that is slow gets the newest.
func ExampleConn_SendLatest() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, nil)
		if err != nil {
			return
		}
		reading := c.CloseRead(context.Background())
		for tick := range 3 {
			state, err := conn.Prepare(conn.Text, fmt.Appendf(nil, "state %d", tick))
			if err != nil {
				return
			}
			if err := c.SendLatest(reading, "state", state); err != nil {
				return
			}
		}
		<-reading.Done()
	}))
	defer srv.Close()

	ctx := context.Background()
	c, _, err := conn.Dial(ctx, "ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.CloseNow()
	for {
		_, state, err := c.Read(ctx)
		if err != nil || string(state) == "state 2" { // some of those before may have been replaced
			fmt.Println(string(state), err)
			return
		}
	}
	// Output: state 2 <nil>
}

// A client that goes through a proxy for one host, and else as the environment says.
func ExampleProxyFromEnvironment() {
	inside := &url.URL{Scheme: "http", Host: "proxy.example:3128"}
	_, _, err := conn.Dial(context.Background(), "wss://inside.example/feed", &conn.DialOptions{
		Proxy: func(r *http.Request) (*url.URL, error) {
			if r.URL.Hostname() == "inside.example" {
				return inside, nil
			}
			return conn.ProxyFromEnvironment(r)
		},
	})
	log.Println(err)
}
