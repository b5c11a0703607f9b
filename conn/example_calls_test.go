package conn_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// connectToEcho is how the examples of calls get a connection.
func connectToEcho() (c *conn.Conn, end func()) {
	srv, url, options := echoServer()
	c, _, err := conn.Dial(context.Background(), url, options)
	if err != nil {
		panic(err)
	}
	return c, func() {
		_ = c.CloseNow()
		srv.Close()
	}
}

// A message for many connections is framed once, and compressed once for each kind of compression.
func ExamplePrepare() {
	c, end := connectToEcho()
	defer end()
	ctx := context.Background()
	p, err := conn.Prepare(conn.Text, []byte("to everybody"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 { // to two connections, say
		fmt.Println(c.WritePrepared(ctx, p))
	}
	_, data, err := c.Read(ctx)
	fmt.Println(string(data), err)
	// Output:
	// <nil>
	// <nil>
	// to everybody <nil>
}

// Send does not wait for the peer. WaitDrained does, when that matters: before a hand-over, or to send no faster than is read.
func ExampleConn_WaitDrained() {
	c, end := connectToEcho()
	defer end()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	p, err := conn.Prepare(conn.Binary, make([]byte, 1000))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Send(ctx, p), c.WaitDrained(ctx), c.Stats().Pending)
	// Output: <nil> <nil> 0
}

// A client may send more when it has logged in.
func ExampleConn_SetMessageLimit() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, &conn.AcceptOptions{MessageLimit: 4 << 10})
		if err != nil {
			return
		}
		_ = c.Serve(r.Context(), func(c *conn.Conn, m conn.Message) error {
			if string(m.Data) == "login" {
				c.SetMessageLimit(16 << 20)
			}
			return nil
		})
	})
	_ = handler
}

// A connection that is only written to has to be read all the same, for pings, and for the peer's end: its context ends then.
func ExampleConn_CloseRead() {
	c, end := connectToEcho()
	defer end()
	ctx := c.CloseRead(context.Background())
	fmt.Println(c.Close(conn.StatusNormalClosure, "done"))
	<-ctx.Done()
	fmt.Println(conn.CloseStatus(context.Cause(ctx)))
	// Output:
	// <nil>
	// 1000 (normal closure)
}

// Close is the closing handshake. Who waits for messages then gets a *CloseError, which says who has closed, and how.
func ExampleConn_Close() {
	c, end := connectToEcho()
	defer end()
	fmt.Println(c.Close(conn.StatusNormalClosure, "that is all"))
	_, _, err := c.Read(context.Background())
	closed, ok := errors.AsType[*conn.CloseError](err)
	fmt.Println(ok, closed.Code)
	// Output:
	// <nil>
	// true 1000 (normal closure)
}

// What a connection has sent and received.
func ExampleConn_Stats() {
	c, end := connectToEcho()
	defer end()
	ctx := context.Background()
	_ = c.Write(ctx, conn.Text, []byte("hello"))
	_, _, _ = c.Read(ctx)
	s := c.Stats()
	fmt.Println(s.MessagesOut, s.PayloadOut, s.MessagesIn, s.PayloadIn, s.WireOut > s.PayloadOut)
	// Output: 1 5 1 5 true
}

// A message to some of the connections of a server.
func ExampleGroup_Broadcast() {
	group := new(conn.Group)
	p, err := conn.Prepare(conn.Text, []byte("the server restarts in a minute"))
	if err != nil {
		fmt.Println(err)
		return
	}
	n := group.Broadcast(context.Background(), func(c *conn.Conn) bool { return c.Subprotocol() == "chat.v2" }, p)
	fmt.Println("sent to", n)
	// Output: sent to 0
}
