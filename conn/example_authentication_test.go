package conn_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// User is who a connection belongs to. An application has its own.
type User struct {
	Name    string
	Rooms   []string    // that the user may write to
	Expires time.Time   // of the credentials; zero: never
	Revoked atomic.Bool // the user was locked out
}

// sameToken compares two secrets. The time that it takes does not depend on where they differ.
func sameToken(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

type userKey struct{}

// withUser returns a ConnContext that adds the user, for handlers, observers and broadcasts.
func withUser(u *User) func(*http.Request) context.Context {
	return func(*http.Request) context.Context { return context.WithValue(context.Background(), userKey{}, u) }
}

// userOf returns a connection's user.
func userOf(c *conn.Conn) *User {
	u, _ := c.Context().Value(userKey{}).(*User)
	return u
}

// greet tells the client who it is, and reads until the connection ends.
func greet(c *conn.Conn) {
	_ = c.Write(c.Context(), conn.Text, []byte("hello "+userOf(c).Name))
	c.CloseRead(c.Context())
}

// secureServer serves handler over wss, and returns the URL and options for its clients.
func secureServer(handler http.HandlerFunc) (srv *httptest.Server, url string, o *conn.DialOptions) {
	srv = httptest.NewUnstartedServer(handler)
	srv.Listener = conn.NewListener(srv.Listener)
	srv.StartTLS()
	config := srv.Client().Transport.(*http.Transport).TLSClientConfig
	return srv, "wss" + strings.TrimPrefix(srv.URL, "https"), &conn.DialOptions{TLS: config}
}

// try dials, and prints the first message or the error.
func try(url string, o *conn.DialOptions) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, _, err := conn.Dial(ctx, url, o)
	if refused, ok := errors.AsType[*conn.HandshakeError](err); ok {
		fmt.Println("refused:", refused.Status)
		return
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()
	_, p, err := c.Read(ctx)
	fmt.Println(string(p), err)
}

// A session's cookie. The browser sends it for any page, so the origin must be checked. Accept does that.
func ExampleAccept_cookie() {
	sessions := map[string]*User{"c2Vzc2lvbg": {Name: "Ann"}}
	srv, url, o := secureServer(func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("session")
		if err != nil || sessions[cookie.Value] == nil {
			http.Error(w, "log in first", http.StatusUnauthorized)
			return
		}
		c, err := conn.Accept(w, r, &conn.AcceptOptions{ConnContext: withUser(sessions[cookie.Value])})
		if err == nil {
			greet(c)
		}
	})
	defer srv.Close()
	try(url, o)
	o.Header = http.Header{"Cookie": {"session=c2Vzc2lvbg"}}
	try(url, o)
	o.Header.Set("Origin", "https://evil.example") // a page of another site
	try(url, o)
	// Output:
	// refused: 401
	// hello Ann <nil>
	// refused: 403
}

// A bearer token in a header field, which scripts of pages cannot set: for programs.
func ExampleAccept_bearerToken() {
	srv, url, o := secureServer(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || !sameToken(token, "secret") {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "a token is needed", http.StatusUnauthorized)
			return
		}
		c, err := conn.Accept(w, r, &conn.AcceptOptions{ConnContext: withUser(&User{Name: "Bob"})})
		if err == nil {
			greet(c)
		}
	})
	defer srv.Close()
	try(url, o)
	o.Header = http.Header{"Authorization": {"Bearer secret"}}
	try(url, o)
	// Output:
	// refused: 401
	// hello Bob <nil>
}

// A token beside the subprotocol. new WebSocket(url, ["chat.v1", "token." + token]) is the only place besides the URL where a
// script can put a token. The server selects the subprotocol, and does not repeat the token.
func ExampleAccept_tokenInSubprotocol() {
	srv, url, o := secureServer(func(w http.ResponseWriter, r *http.Request) {
		var user *User
		options := &conn.AcceptOptions{
			OriginPatterns: []string{"https://app.example"}, // the site of the pages
			SelectSubprotocol: func(r *http.Request, offered []string) (string, error) {
				for _, p := range offered {
					if token, ok := strings.CutPrefix(p, "token."); ok && sameToken(token, "secret") {
						user = &User{Name: "Cleo"}
					}
				}
				if user == nil {
					return "", &conn.HandshakeError{Status: http.StatusUnauthorized, Token: "token", Reason: "a token is needed"}
				}
				if slices.Contains(offered, "chat.v1") {
					return "chat.v1", nil
				}
				return "", nil
			},
			ConnContext: func(r *http.Request) context.Context { return withUser(user)(r) },
		}
		c, err := conn.Accept(w, r, options)
		if err == nil {
			greet(c)
		}
	})
	defer srv.Close()
	o.Subprotocols = []string{"chat.v1", "token.wrong"}
	try(url, o)
	o.Subprotocols = []string{"chat.v1", "token.secret"}
	try(url, o)
	// Output:
	// refused: 401
	// hello Cleo <nil>
}

// Tickets are valid for one connection and ten seconds. A page that is logged in fetches one and puts it into the URL.
type Tickets struct {
	mu   sync.Mutex
	open map[string]ticket
}

type ticket struct {
	user    *User
	expires time.Time
}

// Issue returns a ticket for a user.
func (t *Tickets) Issue(u *User) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	for name, old := range t.open {
		if now.After(old.expires) {
			delete(t.open, name)
		}
	}
	if t.open == nil {
		t.open = map[string]ticket{}
	}
	name := rand.Text()
	t.open[name] = ticket{u, now.Add(10 * time.Second)}
	return name
}

// Redeem returns the user of a ticket, once.
func (t *Tickets) Redeem(name string) (*User, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	found, ok := t.open[name]
	delete(t.open, name)
	return found.user, ok && time.Now().Before(found.expires)
}

// A ticket in the URL. URLs are logged by proxies, but a ticket that was used is of no use. Check runs after the handshake's
// own checks, so a request that is refused for its origin does not use its ticket up.
func ExampleAccept_ticket() {
	var tickets Tickets
	srv, url, o := secureServer(func(w http.ResponseWriter, r *http.Request) {
		var user *User
		c, err := conn.Accept(w, r, &conn.AcceptOptions{
			OriginPatterns: []string{"https://app.example"}, // the site of the pages
			Check: func(r *http.Request) error {
				found, ok := tickets.Redeem(r.URL.Query().Get("ticket"))
				if !ok {
					return &conn.HandshakeError{Status: http.StatusUnauthorized, Token: "ticket", Reason: "the ticket is not valid, or was used"}
				}
				user = found
				return nil
			},
			ConnContext: func(r *http.Request) context.Context { return withUser(user)(r) },
		})
		if err == nil {
			greet(c)
		}
	})
	defer srv.Close()
	url += "/?ticket=" + tickets.Issue(&User{Name: "Dan"}) // by a request of the page, with its cookie
	o.Header = http.Header{"Origin": {"https://evil.example"}}
	try(url, o)
	o.Header.Set("Origin", "https://app.example")
	try(url, o)
	try(url, o)
	// Output:
	// refused: 403
	// hello Dan <nil>
	// refused: 401
}

// A client certificate. The TLS handshake has verified it before the request is read.
func ExampleAccept_clientCertificate() {
	authority, certificate := clientCertificate("sensor-17")
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.TLS.VerifiedChains[0][0].Subject.CommonName
		c, err := conn.Accept(w, r, &conn.AcceptOptions{ConnContext: withUser(&User{Name: name})})
		if err == nil {
			greet(c)
		}
	}))
	srv.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority} // or tlsconf.Server with ClientCAs
	srv.Listener = conn.NewListener(srv.Listener)
	srv.StartTLS()
	defer srv.Close()

	url := "wss" + strings.TrimPrefix(srv.URL, "https")
	roots := srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	config, err := tlsconf.Client(tlsconf.ClientOptions{RootCAs: roots, Certificates: []tls.Certificate{certificate}})
	if err != nil {
		fmt.Println(err)
		return
	}
	try(url, &conn.DialOptions{TLS: config})
	// Output:
	// hello sensor-17 <nil>
}

// clientCertificate returns a self-signed client certificate, and a pool that contains it.
func clientCertificate(name string) (*x509.CertPool, tls.Certificate) {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	authority := x509.NewCertPool()
	authority.AddCert(leaf)
	return authority, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Each message is checked against the user's rights. A message that is not allowed gets an answer. A message that none of your
// clients would send closes the connection.
func ExampleConn_Serve_authorization() {
	type post struct{ Room, Text string }
	srv, url, o := secureServer(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, &conn.AcceptOptions{ConnContext: withUser(&User{Name: "Eve", Rooms: []string{"garden"}})})
		if err != nil {
			return
		}
		_ = c.Serve(c.Context(), func(c *conn.Conn, m conn.Message) error {
			if userOf(c).Revoked.Load() {
				return &conn.CloseError{Code: conn.StatusPolicyViolation, Reason: "revoked"}
			}
			var p post
			if err := json.Unmarshal(m.Data, &p); err != nil {
				return &conn.CloseError{Code: conn.StatusPolicyViolation, Reason: "that is no post"}
			}
			if !slices.Contains(userOf(c).Rooms, p.Room) {
				return c.Write(c.Context(), conn.Text, []byte("you may not write to "+p.Room))
			}
			return c.Write(c.Context(), conn.Text, []byte(p.Text+" is in "+p.Room))
		})
	})
	defer srv.Close()
	ctx := context.Background()
	c, _, err := conn.Dial(ctx, url, o)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()
	for _, text := range []string{`{"Room":"garden","Text":"a rose"}`, `{"Room":"vault","Text":"a thief"}`, "nonsense"} {
		_ = c.Write(ctx, conn.Text, []byte(text))
		_, p, err := c.Read(ctx)
		fmt.Println(string(p), err)
	}
	// Output:
	// a rose is in garden <nil>
	// you may not write to vault <nil>
	//  websocket: closed by the peer with code 1008 (policy violation) and reason "that is no post"
}

// StatusUnauthorized is registered as the close code that corresponds to HTTP's status 401.
const StatusUnauthorized conn.StatusCode = 3000

// closeWhenExpired closes a connection with 3000 when its user's credentials expire: the client may log in again.
func closeWhenExpired(c *conn.Conn) {
	u := userOf(c)
	if u.Expires.IsZero() {
		return
	}
	expiry := time.AfterFunc(time.Until(u.Expires), func() { _ = c.Close(StatusUnauthorized, "expired") })
	context.AfterFunc(c.Context(), func() { expiry.Stop() })
}

// revoke locks a user out: it closes the user's connections with 1008, so that the client does not come back. Callbacks check
// Revoked, since messages still arrive until the peer answers the close frame or CloseTimeout is over.
func revoke(group *conn.Group, u *User) {
	u.Revoked.Store(true)
	for c := range group.Conns() {
		if userOf(c) == u {
			go c.Close(conn.StatusPolicyViolation, "revoked") // Close waits for the peer's answer
		}
	}
}

// closeIfRevoked is called after Accept: revoke may have run after the credentials were checked, and before the connection
// joined the group.
func closeIfRevoked(c *conn.Conn) {
	if userOf(c).Revoked.Load() {
		go c.Close(conn.StatusPolicyViolation, "revoked")
	}
}

// Credentials that expire, and users who are locked out, while their connections are open.
func ExampleConn_Close_revocation() {
	group := new(conn.Group)
	users := map[string]*User{"Fay": {Name: "Fay", Expires: time.Now().Add(100 * time.Millisecond)}, "Gus": {Name: "Gus"}}
	srv, url, o := secureServer(func(w http.ResponseWriter, r *http.Request) {
		user := users[r.URL.Query().Get("name")] // in place of the examples above
		if user == nil || user.Revoked.Load() {
			http.Error(w, "log in first", http.StatusUnauthorized)
			return
		}
		c, err := conn.Accept(w, r, &conn.AcceptOptions{Group: group, ConnContext: withUser(user)})
		if err == nil {
			closeIfRevoked(c)
			greet(c)
			closeWhenExpired(c)
		}
	})
	defer srv.Close()
	ctx := context.Background()
	for _, name := range []string{"Fay", "Gus"} {
		c, _, err := conn.Dial(ctx, url+"/?name="+name, o)
		if err != nil {
			fmt.Println(err)
			return
		}
		_, p, _ := c.Read(ctx)
		if name == "Gus" {
			revoke(group, users[name])
		}
		_, _, err = c.Read(ctx)
		fmt.Printf("%s: %v\n", p, err)
	}
	try(url+"/?name=Gus", o)
	// Output:
	// hello Fay: websocket: closed by the peer with code 3000 and reason "expired"
	// hello Gus: websocket: closed by the peer with code 1008 (policy violation) and reason "revoked"
	// refused: 401
}
