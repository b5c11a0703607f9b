package conn_test

import (
	"context"
	"log"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// A server ends in order: new clients are told to come back, those that there are say goodbye over
// ten seconds, and after twenty all is over.
func ExampleGroup_ShutdownServer() {
	group := &conn.Group{MaxConns: 10_000}
	srv := &http.Server{Addr: ":8443", ReadHeaderTimeout: 10 * time.Second}
	go func() {
		interrupt, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		<-interrupt.Done()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := group.ShutdownServer(ctx, srv, conn.ShutdownOptions{Spread: 10 * time.Second}); err != nil {
			log.Print(err)
		}
	}()
	// The handlers accept with &conn.AcceptOptions{Group: group}; then
	// srv.ServeTLS(conn.NewListener(ln), "cert.pem", "key.pem") serves.
}
