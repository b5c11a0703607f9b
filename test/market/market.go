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

// market holds a server, its clients, and the measurements.
type market struct {
	options *options
	server  *http.Server
	group   conn.Group
	clients []*client
	readers sync.WaitGroup
	joined  chan struct{} // one for each client whose symbols the server knows

	mu        sync.Mutex
	followers map[int][]*conn.Conn // by symbol

	made        int64  // prices
	heapBefore  uint64 // bytes, at most, before some clients stall
	heapStalled uint64 // bytes, at most, while they stall
}

// client reads prices. Its goroutine owns received and stale until it ends.
type client struct {
	id       int
	stalls   bool
	symbols  []int
	conn     *conn.Conn
	stall    chan struct{} // closed when it is to stop reading
	resume   chan uint64   // the number of its first symbol's newest price when it is to read again
	err      atomic.Pointer[error]
	ended    atomic.Bool // it reads no more
	received int64
	stale    int // old prices of its first symbol that it has read after its stall
}

// priceSize is the size of a price in bytes: a symbol, a number that grows by one with each price of the symbol, and padding.
const priceSize = 120

// last is set in the number of the last price of a symbol.
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
	m := &market{options: o, joined: make(chan struct{}, o.conns), followers: map[int][]*conn.Conn{}}
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
			c.ended.Store(true)
		})
	}
	for range o.conns { // a handler may run on when its client has been answered
		select {
		case <-m.joined:
		case <-ctx.Done():
			m.close()
			return nil, ctx.Err()
		}
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
	m.joined <- struct{}{}
}

// close closes the clients and the server, and waits for the clients' goroutines.
func (m *market) close() {
	for _, c := range m.clients {
		_ = c.conn.CloseNow()
	}
	_ = m.server.Close()
	m.readers.Wait()
}

// phase is a third of the time.
type phase int

const (
	beforeStall phase = iota
	duringStall
	afterStall
)

// trade sends prices, and makes some clients stall in the second third of the time.
func (m *market) trade(ctx context.Context, w io.Writer) error {
	o := m.options
	m.mu.Lock()
	defer m.mu.Unlock()
	numbers := make([]uint64, o.symbols())
	const batch = 10 * time.Millisecond
	ticker := time.NewTicker(batch)
	defer ticker.Stop()
	began, due := time.Now(), 0.0
	current, symbol, lastReport := beforeStall, 0, began
	fmt.Fprintf(w, "%d clients follow %d of %d symbols each; %d prices a second\n", o.conns, o.follow, o.symbols(), o.rate)
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		passed := time.Since(began)
		switch {
		case current == beforeStall && passed >= o.time/3:
			m.measure(current)
			current = duringStall
			m.stall()
		case current == duringStall && passed >= 2*o.time/3:
			m.measure(current)
			current = afterStall
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
			m.measure(current)
			s := m.group.Stats()
			fmt.Fprintf(w, "%4.0fs  %8d sent  %8d replaced  %9d bytes queued\n", passed.Seconds(), s.MessagesOut, s.Replaced, s.Pending)
		}
	}
}

// send sends a price to the clients that follow its symbol. m.mu is held.
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

// end sends the last price of each symbol, and waits until all clients have read them.
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
	case <-time.After(patience):
		var lacking []int
		for _, c := range m.clients {
			if !c.ended.Load() {
				lacking = append(lacking, c.id)
			}
		}
		return fmt.Errorf("after %v the clients %d do not have the last prices; %d bytes are queued", patience, lacking, m.group.Stats().Pending)
	}
}

// patience is how long all clients may take to read the last prices, on a machine that may stand still for seconds.
const patience = time.Minute

// measure notes the heap of the first two phases.
func (m *market) measure(p phase) {
	switch p {
	case beforeStall:
		m.heapBefore = max(m.heapBefore, heap())
	case duringStall:
		m.heapStalled = max(m.heapStalled, heap())
	}
}

// heap returns the bytes of the heap that are in use after a collection.
func heap() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// read reads prices until it has read the last one of each symbol.
func (c *client) read(ctx context.Context) error {
	newest := map[uint64]uint64{}
	var buf []byte
	var resumed uint64 // number of the first symbol's newest price at the end of the stall; 0: not stalled
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
