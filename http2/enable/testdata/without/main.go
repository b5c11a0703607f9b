// Command without is an HTTPS server that does not import the package enable. It prints its address, and serves until its input ends.
package main

import (
	"fmt"
	"io"
	"net/http/httptest"
	"os"

	"net/http"
)

func main() {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.EnableHTTP2 = true
	srv.StartTLS()
	fmt.Println(srv.Listener.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	srv.Close()
}
