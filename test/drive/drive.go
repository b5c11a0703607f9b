// Package drive opens pages in Chromium and Firefox and acts there as a user. It speaks the browsers' own protocols, DevTools and WebDriver
// BiDi, over this library's connections.
package drive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/test/process"
)

// Browser is a running browser. Start makes one.
type Browser struct {
	process *process.Process
	dir     string
	link    *link
	open    func(ctx context.Context, url string) (*Tab, error)
}

// Tab is an open page, of a user of its own: it shares no storage with others.
type Tab struct {
	eval       func(ctx context.Context, expression string) (json.RawMessage, error)
	screenshot func(ctx context.Context) ([]byte, error)
	resize     func(ctx context.Context, width, height int) error
	dark       func(ctx context.Context, on bool) error
	close      func(ctx context.Context) error
}

// startTime bounds the start of a browser.
const startTime = time.Minute

// Start starts the browser of this name, chromium or firefox, which has to be installed. It trusts every certificate.
func Start(ctx context.Context, name string) (*Browser, error) {
	dir, err := os.MkdirTemp("", "wss-drive-")
	if err != nil {
		return nil, err
	}
	b := &Browser{dir: dir}
	if err := b.start(ctx, name); err != nil {
		b.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}

func (b *Browser) start(ctx context.Context, name string) error {
	kind, known := map[string]struct {
		args      []string
		listening *regexp.Regexp
		path      string
		prepare   func(context.Context, *Browser) error
	}{
		"chromium": {[]string{
			"chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--hide-scrollbars",
			"--user-data-dir=" + b.dir, "--remote-debugging-port=0", "about:blank",
		}, regexp.MustCompile(`DevTools listening on (ws://\S+)`), "", useDevTools},
		"firefox": {[]string{
			"firefox-esr", "--headless", "--no-remote", "--profile", b.dir, "--remote-debugging-port", "0", "about:blank",
		}, regexp.MustCompile(`WebDriver BiDi listening on (ws://\S+)`), "/session", useBiDi},
	}[name]
	if !known {
		return errors.New("there are chromium and firefox")
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	journal := process.NewJournal()
	var err error
	if b.process, err = process.Start(context.WithoutCancel(ctx), process.Command{Args: kind.args}, journal, journal); err != nil {
		return err
	}
	found, err := journal.Await(ctx, b.process.Done(), kind.listening)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, journal.Tail())
	}
	if b.link, err = dial(ctx, found[1]+kind.path); err != nil {
		return err
	}
	return kind.prepare(ctx, b)
}

// Close ends the browser.
func (b *Browser) Close() {
	if b.link != nil {
		_ = b.link.conn.CloseNow()
	}
	if b.process != nil {
		b.process.Stop()
	}
	_ = os.RemoveAll(b.dir)
}

// Open opens a page for a new user.
func (b *Browser) Open(ctx context.Context, url string) (*Tab, error) { return b.open(ctx, url) }

// Eval evaluates an expression in the page, waits for it if it is a promise, and decodes its value, as JSON, into v, if that is not nil.
func (t *Tab) Eval(ctx context.Context, expression string, v any) error {
	result, err := t.eval(ctx, expression)
	if err != nil {
		return fmt.Errorf("%.200s: %w", expression, err)
	}
	if v == nil || len(result) == 0 {
		return nil
	}
	return json.Unmarshal(result, v)
}

// Await waits until an expression is true in the page, or until the context ends. An expression that throws is not true yet: a page that
// loads again lacks what it will have.
func (t *Tab) Await(ctx context.Context, condition string) error {
	for {
		var done bool
		err := t.Eval(ctx, "Boolean("+condition+")", &done)
		if err == nil && done {
			return nil
		}
		select {
		case <-ctx.Done():
			if err == nil {
				err = fmt.Errorf("%.200s: is not true", condition)
			}
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Screenshot returns a picture of the page, in PNG.
func (t *Tab) Screenshot(ctx context.Context) ([]byte, error) { return t.screenshot(ctx) }

// Close closes the page, as its user does.
func (t *Tab) Close(ctx context.Context) error { return t.close(ctx) }

// Resize sets the size of the page's window, in CSS pixels.
func (t *Tab) Resize(ctx context.Context, width, height int) error {
	return t.resize(ctx, width, height)
}

// Dark sets the colour scheme that the page sees. Firefox cannot: the error is errors.ErrUnsupported.
func (t *Tab) Dark(ctx context.Context, on bool) error {
	if t.dark == nil {
		return errors.ErrUnsupported
	}
	return t.dark(ctx, on)
}

// link is a connection to the browser, with the numbered requests of both protocols.
type link struct {
	conn *conn.Conn

	mu      sync.Mutex
	last    int
	waiting map[int]chan<- answer
	err     error // set when the connection has ended
}

// answer is a message of the browser, with the number of a request.
type answer struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
	Text   string          `json:"message"`
}

func dial(ctx context.Context, url string) (*link, error) {
	c, _, err := conn.Dial(ctx, url, &conn.DialOptions{MessageLimit: 64 << 20})
	if err != nil {
		return nil, err
	}
	l := &link{conn: c, waiting: map[int]chan<- answer{}}
	go l.read()
	return l, nil
}

func (l *link) read() {
	for {
		_, p, err := l.conn.Read(context.Background())
		var a answer
		if err == nil {
			err = json.Unmarshal(p, &a)
		}
		l.mu.Lock()
		if err != nil {
			l.err = err
			for _, w := range l.waiting {
				close(w)
			}
			l.waiting = nil
			l.mu.Unlock()
			return
		}
		if w := l.waiting[a.ID]; w != nil && a.ID != 0 {
			w <- a
			delete(l.waiting, a.ID)
		}
		l.mu.Unlock()
	}
}

// call sends a request and decodes its result into v, if that is not nil.
func (l *link) call(ctx context.Context, session, method string, params, v any) error {
	w := make(chan answer, 1)
	l.mu.Lock()
	if l.err != nil {
		defer l.mu.Unlock()
		return l.err
	}
	l.last++
	id := l.last
	l.waiting[id] = w
	l.mu.Unlock()
	request := map[string]any{"id": id, "method": method, "params": params}
	if session != "" {
		request["sessionId"] = session
	}
	p, err := json.Marshal(request)
	if err != nil {
		return err
	}
	if err := l.conn.Write(ctx, conn.Text, p); err != nil {
		return err
	}
	select {
	case a, ok := <-w:
		switch {
		case !ok:
			return errors.New("the browser's connection has ended")
		case a.Error != nil:
			return fmt.Errorf("%s: %s %s", method, a.Error, a.Text)
		case v == nil:
			return nil
		}
		return json.Unmarshal(a.Result, v)
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", method, context.Cause(ctx))
	}
}
