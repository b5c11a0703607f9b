// Command gopeers is other WebSocket libraries for Go as the echoes that test/matrix runs: see test/matrix/peers/README.md.
//
//	gopeers LIBRARY version | client CAFILE URL... | server PORT CERTFILE KEYFILE
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
)

const limit = 17 << 20 // bytes of a message

// library is a peer.
type library struct {
	module string
	client func(url string, cfg *tls.Config) (end, error)
	server func(w http.ResponseWriter, r *http.Request) end
}

// end is how a connection has ended.
type end struct {
	Closed int     `json:"closed"`
	Reason *string `json:"reason,omitempty"`
}

func ended(code int, reason string) end { return end{code, &reason} }

var libraries = map[string]library{
	"gorilla": {"github.com/gorilla/websocket", gorillaClient, gorillaServer},
	"coder":   {"github.com/coder/websocket", coderClient, coderServer},
	"gobwas":  {"github.com/gobwas/ws", gobwasClient, gobwasServer},
	"gws":     {"github.com/lxzan/gws", gwsClient, gwsServer},
	"nbio":    {"github.com/lesismal/nbio", nbioClient, nbioServer},
}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 3 {
		log.Fatal("usage: gopeers LIBRARY version | client CAFILE URL... | server PORT CERTFILE KEYFILE")
	}
	l, ok := libraries[os.Args[1]]
	if !ok {
		log.Fatalf("no library is called %s", os.Args[1])
	}
	switch mode, args := os.Args[2], os.Args[3:]; {
	case mode == "version":
		fmt.Println(version(l.module))
	case mode == "client" && len(args) > 0:
		client(l, args[0], args[1:])
	case mode == "server" && len(args) == 3:
		log.Fatal(serve(l, args[0], args[1], args[2]))
	default:
		log.Fatalf("unknown mode %s", mode)
	}
}

func version(module string) string {
	info, _ := debug.ReadBuildInfo()
	for _, m := range info.Deps {
		if m.Path == module {
			return strings.TrimPrefix(m.Version, "v")
		}
	}
	return "unknown"
}

var saying sync.Mutex

func say(what any) {
	saying.Lock()
	defer saying.Unlock()
	_ = json.NewEncoder(os.Stdout).Encode(what)
}

func client(l library, caFile string, urls []string) {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	for _, url := range urls {
		if e, err := l.client(url, &tls.Config{RootCAs: roots, NextProtos: []string{"http/1.1"}}); err != nil {
			say(map[string]string{"failed": err.Error()})
		} else {
			say(e)
		}
	}
}

func serve(l library, port, certFile, keyFile string) error {
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(port)
	say(map[string]int{"listening": n})
	srv := &http.Server{
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if e := l.server(w, r); e.Closed != 0 {
				say(e)
			}
		}),
		ErrorLog: log.New(os.Stderr, "", 0),
	}
	return srv.ServeTLS(ln, "", "")
}

// command is what a text that begins with "!" asks for.
type command struct {
	code   int // close
	reason string
	send   []byte
}

func parseCommand(text []byte) (c command, ok bool) {
	name, rest, _ := strings.Cut(string(text), " ")
	switch name {
	case "!close":
		code, reason, _ := strings.Cut(rest, " ")
		c.code, _ = strconv.Atoi(code)
		c.reason = reason
		return c, true
	case "!send":
		n, _ := strconv.Atoi(rest)
		c.send = make([]byte, n)
		return c, true
	}
	return c, false
}
