package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
)

// payloadSize is the size of what is published, in bytes.
const payloadSize = 128

// tick is the time between two wake-ups of a server that publishes, if there is that much to do.
const tick = 10 * time.Millisecond

// publisher publishes data, which is JSON, to a topic.
type publisher func(topic string, data []byte) error

// backend starts a server with one of the libraries: serve accepts connections, until the process ends.
type backend func(ln net.Listener, config *tls.Config) (publish publisher, serve func() error, err error)

// backends are the servers that are written in Go, by the names of their lines.
var backends = map[string]backend{
	wssName:               wssServer(0),
	wssHistoryName:        wssServer(historySize),
	centrifugeName:        centrifugeServer(0),
	centrifugeHistoryName: centrifugeServer(historySize),
	byHandName:            byHandServer,
}

// serve is a server's process: it writes its address, and then does what it reads, a command a line:
//
//	publish COUNT RATE TOPICS    COUNT messages, RATE a second, to so many topics in turn; the answer is "published"
//	memory                       the answer is the bytes of heap and stacks in use, after collections
//
// An answer that begins with "error" says why it could not.
func serve(name string, certFile, keyFile string, stdin io.Reader, stdout io.Writer) error {
	start, ok := backends[name]
	if !ok {
		return fmt.Errorf("no server is called %q", name)
	}
	config, err := child.ServerTLSOf(certFile, keyFile)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	publish, accept, err := start(ln, config)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- accept() }()
	fmt.Fprintln(stdout, ln.Addr())
	go func() { ended <- newSource(publish).commands(stdin, stdout) }()
	return <-ended
}

// source makes the messages of a server.
type source struct {
	publish   publisher
	published map[int]int // messages of each topic so far
}

func newSource(publish publisher) *source {
	return &source{publish, map[int]int{}}
}

// commands reads commands and answers them, until there are no more.
func (s *source) commands(stdin io.Reader, stdout io.Writer) error {
	lines := bufio.NewScanner(stdin)
	for lines.Scan() {
		answer, err := s.do(lines.Text())
		if err != nil {
			answer = "error: " + err.Error()
		}
		fmt.Fprintln(stdout, answer)
	}
	return lines.Err()
}

func (s *source) do(command string) (answer string, err error) {
	if command == "memory" {
		m := child.Memory()
		return strconv.FormatUint(m.HeapInuse+m.StackInuse, 10), nil
	}
	var count, rate, topics int
	if _, err := fmt.Sscanf(command, "publish %d %d %d", &count, &rate, &topics); err != nil || rate < 1 || topics < 1 {
		return "", fmt.Errorf("%q is no command", command)
	}
	return "published", s.paced(count, rate, topics)
}

// paced publishes messages when they are due, at most once in a tick.
func (s *source) paced(count, rate, topics int) error {
	start, each := time.Now(), time.Second/time.Duration(rate)
	for sent := 0; sent < count; {
		due := min(count, int(time.Since(start)/each)+1)
		for ; sent < due; sent++ {
			if err := s.one(sent % topics); err != nil {
				return err
			}
		}
		if sent < count {
			time.Sleep(max(tick, time.Until(start.Add(each*time.Duration(sent)))))
		}
	}
	return nil
}

// one publishes the next message of a topic.
func (s *source) one(topic int) error {
	s.published[topic]++
	return s.publish(topicName(topic), payload(topic, s.published[topic]))
}

func topicName(topic int) string { return "topic-" + strconv.Itoa(topic) }

// payload is a JSON string that says which message of which topic it is: "#17 1 xxxx…".
func payload(topic, number int) []byte {
	b := fmt.Appendf(make([]byte, 0, payloadSize), "\"#%d %d ", topic, number)
	for len(b) < payloadSize-1 {
		b = append(b, 'x')
	}
	return append(b, '"')
}

// serveHTTP is the stock server that all servers in Go stand behind.
func serveHTTP(ln net.Listener, config *tls.Config, h http.Handler) func() error {
	srv := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	return func() error { return srv.Serve(tls.NewListener(ln, config)) }
}
