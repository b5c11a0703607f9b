package conn

import (
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestABubbleOverNetPipe is how a user of the library tests with time: both ends in one testing/synctest bubble, over net.Pipe.
func TestABubbleOverNetPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		served := make(chan error, 1)
		go func() {
			c, err := Upgrade(bg, far, nil)
			if err == nil {
				err = c.Serve(bg, echoBack)
			}
			served <- err
		}()
		c, _, err := Client(bg, near, "ws://example.com/", nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := exchanged(c, Text, "hello"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		// Somebody has to read, or the pings of the other side are not answered.
		read := make(chan error, 1)
		go func() {
			_, _, err := c.Read(bg)
			read <- err
		}()
		began := time.Now()
		time.Sleep(2 * time.Hour) // keepalive holds it
		if d := time.Since(began); d != 2*time.Hour {
			t.Errorf("%v have passed", d)
		}
		if err := c.Close(StatusNormalClosure, ""); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Errorf("the server: %v", err)
		}
		if err := <-read; CloseStatus(err) != StatusNormalClosure {
			t.Errorf("the reader: %v", err)
		}
	})
}
