package main

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// market is a server, its clients, and what they have seen.
type market struct {
	options *options
	server  *http.Server
	group   conn.Group
	clients []*client
	readers sync.WaitGroup

	mu        sync.Mutex
	followers map[int][]*conn.Conn // by symbol

	made                 int64  // prices
	heapBefore, heapMost uint64 // the most before some clients stall, and while they do
}

// client is one that reads prices. Its counts are its goroutine's until that ends.
type client struct {
	id       int
	stalls   bool
	symbols  []int
	conn     *conn.Conn
	stall    chan struct{} // closed when it is to stop reading
	resume   chan uint64   // the number of the price that is the newest when it reads again
	err      atomic.Pointer[error]
	received int64
	stale    int // of one symbol, the most that came before the newest
}

// A price is a symbol and its number, which grows by one with each price of the symbol, and some 100 bytes that stand for the rest.
const priceSize = 120

// last marks the last price of a symbol.
const last = 1 << 63

func price(symbol int, number uint64) (*conn.Prepared, error) {
	p := make([]byte, priceSize)
	binary.BigEndian.PutUint64(p, uint64(symbol))
	binary.BigEndian.PutUint64(p[8:], number)
	return conn.Prepare(conn.Binary, p)
}

// open starts a server and connects its clients.
func open(ctx context.Context, o *options) (*market, error) {
	serverTLS, clientTLS := testtls.Configs(tls.VersionTLS13)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &market{options: o, followers: map[int][]*conn.Conn{}}
	m.server = &http.Server{Handler: http.HandlerFunc(m.follow), TLSConfig: serverTLS, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = m.server.ServeTLS(conn.NewListener(ln), "", "") }()
	for id := range o.conns {
		c := &client{id: id, stalls: id%10 == 0, stall: make(chan struct{}), resume: make(chan uint64, 1)}
		query := "?"
		for i := range o.follow {
			symbol := (id*o.follow + i) % o.symbols()
			c.symbols = append(c.symbols, symbol)
			query += "&symbol=" + strconv.Itoa(symbol)
		}
		c.conn, _, err = conn.Dial(ctx, "wss://"+ln.Addr().String()+"/"+query, &conn.DialOptions{TLS: clientTLS})
		if err != nil {
			m.close()
			return nil, fmt.Errorf("client %d: %w", id, err)
		}
		m.clients = append(m.clients, c)
		m.readers.Go(func() {
			if err := c.read(ctx); err != nil {
				c.err.Store(&err)
			}
		})
	}
	return m, nil
}

// follow is the server's handler: the request names the symbols.
func (m *market) follow(w http.ResponseWriter, r *http.Request) {
	c, err := conn.Accept(w, r, &conn.AcceptOptions{Group: &m.group})
	if err != nil {
		return
	}
	c.CloseRead(context.Background())
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range r.URL.Query()["symbol"] {
		if symbol, err := strconv.Atoi(s); err == nil {
			m.followers[symbol] = append(m.followers[symbol], c)
		}
	}
}

// close ends all that was opened.
func (m *market) close() {
	for _, c := range m.clients {
		_ = c.conn.CloseNow()
	}
	_ = m.server.Close()
	m.readers.Wait()
}

// trade makes prices, and has some clients stall for the second third of the time.
func (m *market) trade(ctx context.Context, w io.Writer) error {
	o := m.options
	m.mu.Lock()
	defer m.mu.Unlock()
	numbers := make([]uint64, o.symbols())
	const batch = 10 * time.Millisecond
	ticker := time.NewTicker(batch)
	defer ticker.Stop()
	began, due := time.Now(), 0.0
	phase, symbol, lastReport := 0, 0, began
	fmt.Fprintf(w, "%d clients follow %d of %d symbols each; %d prices a second\n", o.conns, o.follow, o.symbols(), o.rate)
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		passed := time.Since(began)
		switch {
		case phase == 0 && passed >= o.time/3:
			m.heapBefore, phase = max(m.heapBefore, heap()), 1
			m.stall()
		case phase == 1 && passed >= 2*o.time/3:
			m.heapMost, phase = max(m.heapMost, heap()), 2
			m.resume(numbers)
		case passed >= o.time:
			return m.end(ctx, numbers)
		}
		for due = passed.Seconds() * float64(o.rate); float64(m.made) < due; symbol = (symbol + 1) % len(numbers) {
			numbers[symbol]++
			m.made++
			if err := m.send(ctx, symbol, numbers[symbol]); err != nil {
				return err
			}
		}
		if time.Since(lastReport) >= time.Second {
			lastReport = time.Now()
			switch phase {
			case 0:
				m.heapBefore = max(m.heapBefore, heap())
			case 1:
				m.heapMost = max(m.heapMost, heap())
			}
			s := m.group.Stats()
			fmt.Fprintf(w, "%4.0fs  %8d sent  %8d replaced  %9d bytes wait\n", passed.Seconds(), s.MessagesOut, s.Replaced, s.Pending)
		}
	}
}

// send gives a price to those that follow its symbol.
func (m *market) send(ctx context.Context, symbol int, number uint64) error {
	p, err := price(symbol, number)
	if err != nil {
		return err
	}
	key := strconv.Itoa(symbol)
	for _, c := range m.followers[symbol] {
		if err := c.SendLatest(ctx, key, p); err != nil {
			return err
		}
	}
	return nil
}

func (m *market) stall() {
	for _, c := range m.clients {
		if c.stalls {
			close(c.stall)
		}
	}
}

func (m *market) resume(numbers []uint64) {
	for _, c := range m.clients {
		if c.stalls {
			c.resume <- numbers[c.symbols[0]]
		}
	}
}

// end sends the last price of each symbol, and waits until all clients have theirs.
func (m *market) end(ctx context.Context, numbers []uint64) error {
	for symbol, n := range numbers {
		if err := m.send(ctx, symbol, n|last); err != nil {
			return err
		}
	}
	done := make(chan struct{})
	go func() { m.readers.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(20 * time.Second):
		return fmt.Errorf("after 20 seconds some clients do not have the last prices")
	}
}

// heap is what is in use after a collection.
func heap() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// read reads prices until the last one of each symbol has come.
func (c *client) read(ctx context.Context) error {
	newest := map[uint64]uint64{}
	var buf []byte
	var resumed uint64 // the newest of the first symbol when it reads again
	stale := 0
	stall := c.stall
	for ended := 0; ended < len(c.symbols); c.received++ {
		select {
		case <-stall:
			stall = nil
			select {
			case resumed = <-c.resume:
			case <-ctx.Done():
				return ctx.Err()
			}
		default:
		}
		var err error
		if _, buf, err = c.conn.ReadInto(ctx, buf); err != nil {
			return err
		}
		symbol, number := binary.BigEndian.Uint64(buf), binary.BigEndian.Uint64(buf[8:])
		if number&last != 0 {
			ended++
			number &^= last
		} else if number <= newest[symbol] {
			return fmt.Errorf("price %d of symbol %d behind %d", number, symbol, newest[symbol])
		}
		if number < newest[symbol] {
			return fmt.Errorf("the last price of symbol %d is %d, behind %d", symbol, number, newest[symbol])
		}
		newest[symbol] = number
		if resumed != 0 && symbol == uint64(c.symbols[0]) {
			if number < resumed {
				stale++
			} else {
				c.stale, resumed = stale, 0
			}
		}
	}
	return nil
}
