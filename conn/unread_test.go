package conn

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"
)

// TestARequestsHandlerThatIsGone: a connection that nobody reads from is closed when its handler has returned, and one that
// somebody reads from is not, however seldom.
func TestARequestsHandlerThatIsGone(t *testing.T) {
	for _, tt := range []struct {
		name  string
		use   func(c *Conn, over context.Context)
		lives bool
	}{
		{"nobody uses it", func(*Conn, context.Context) {}, false},
		{"it is only written to", func(c *Conn, over context.Context) {
			for over.Err() == nil {
				_ = c.Write(over, Text, []byte("news"))
				time.Sleep(time.Second)
			}
		}, false},
		{"Go", func(c *Conn, _ context.Context) { c.ServeInBackground(echoBack, nil) }, true},
		{"Serve", func(c *Conn, _ context.Context) { _ = c.Serve(bg, echoBack) }, true},
		{"CloseRead", func(c *Conn, _ context.Context) { c.CloseRead(bg) }, true},
		{"a read that waits", func(c *Conn, _ context.Context) { _, _, _ = c.Read(bg) }, true},
		{"a read now and then", func(c *Conn, over context.Context) {
			for over.Err() == nil && c.life.err() == nil {
				short, cancel := context.WithTimeout(over, time.Millisecond)
				_, _, _ = c.Read(short)
				cancel()
				time.Sleep(25 * time.Second)
			}
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				request, returned := context.WithCancel(bg)
				over, end := context.WithCancel(bg)
				client, server := piped(t, nil)
				server.watchHandler(request)
				var wg sync.WaitGroup
				wg.Go(func() { tt.use(server, over) })
				wg.Go(func() { _ = client.Serve(bg, func(*Conn, Message) error { return nil }) })
				time.Sleep(time.Second)
				returned()
				time.Sleep(10 * time.Minute)
				switch why := server.life.err(); {
				case tt.lives && why != nil:
					t.Errorf("it was closed: %v", why)
				case !tt.lives && (!errors.Is(why, ErrUnread) || CloseStatus(why) != StatusInternalError):
					t.Errorf("got %v", why)
				case !tt.lives && CloseStatus(client.life.err()) != StatusInternalError:
					t.Errorf("the client was told %v", client.life.err())
				}
				end()
				_ = client.CloseNow()
				_ = server.CloseNow()
				wg.Wait()
			})
		})
	}
}

// TestAHandlerThatPanicsLeavesNoConnection: net/http ends the request's context then, and nobody reads any more.
func TestAHandlerThatPanicsLeavesNoConnection(t *testing.T) {
	accepted := make(chan *Conn, 1)
	url, o := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := Accept(w, r, nil)
		if err == nil {
			accepted <- c
			panic(http.ErrAbortHandler)
		}
	}), true, true)
	c, _, err := Dial(bg, url, o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	server := <-accepted
	for server.timeouts().unread.Load() == nil { // until net/http has seen the panic
		runtime.Gosched()
	}
	_ = (*unreadTask)(server).Tick() // its time has passed
	if _, _, err := c.Read(bg); CloseStatus(err) != StatusInternalError {
		t.Errorf("the client: %v", err)
	}
	<-server.life.Done()
	if err := server.life.err(); !errors.Is(err, ErrUnread) {
		t.Errorf("the server: %v", err)
	}
}
