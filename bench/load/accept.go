package load

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"strings"
	"sync"
	"time"
)

// Dials opens connections one after the other, several at a time, and closes each as soon
// as it has been answered.
type Dials struct {
	Target  Target
	Workers int
	// Plain asks for a page in place of an upgrade.
	Plain bool
	// Resume resumes TLS sessions.
	Resume bool
	caches []tls.ClientSessionCache
}

// Prepare fills the caches of sessions.
func (d *Dials) Prepare(ctx context.Context) error {
	for range d.Workers {
		cache := tls.NewLRUClientSessionCache(8)
		d.caches = append(d.caches, cache)
		if !d.Resume {
			continue
		}
		if _, err := d.dial(ctx, cache); err != nil {
			return err
		}
		resumed, err := d.dial(ctx, cache)
		if err != nil {
			return err
		}
		if !resumed {
			return errors.New("the server does not resume sessions")
		}
	}
	return nil
}

// Run dials for a time. A round trip is a whole connection.
func (d *Dials) Run(ctx context.Context, window time.Duration) (Result, error) {
	r := newRound(1, window, 0)
	errs := make(chan error, d.Workers)
	start := time.Now()
	var wg sync.WaitGroup
	for i := range d.Workers {
		wg.Go(func() {
			for time.Now().Before(r.deadline) {
				begin := time.Now()
				resumed, err := d.dial(ctx, d.caches[i])
				if err == nil && resumed != d.Resume {
					err = errors.New("a session was resumed, or was not, against expectation")
				}
				if err != nil {
					errs <- err
					return
				}
				r.messages.Add(1)
				r.record(time.Since(begin), 1)
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return Result{}, err
	default:
		return r.result(time.Since(start)), nil
	}
}

// dial makes one connection and ends it.
func (d *Dials) dial(ctx context.Context, cache tls.ClientSessionCache) (resumed bool, err error) {
	t := d.Target
	if d.Resume {
		t.TLS = t.TLS.Clone()
		t.TLS.ClientSessionCache = cache
	}
	t.Raw = d.Plain
	nc, _, _, err := t.Connect(ctx)
	if err != nil {
		return false, err
	}
	defer nc.Close()
	if d.Plain {
		if _, err := getPage(nc, t.Addr); err != nil {
			return false, err
		}
	}
	return nc.(*tls.Conn).ConnectionState().DidResume, nil
}

// getPage asks for a page with as long a request as an opening handshake is, and returns
// how long the answer was.
func getPage(nc io.ReadWriter, host string) (int, error) {
	t := Target{Addr: host}
	request := strings.NewReplacer("Connection: Upgrade", "Connection: keep-al", "Upgrade: websocket", "X-Pads: websockets").Replace(t.request())
	if _, err := io.WriteString(nc, request); err != nil {
		return 0, err
	}
	buf, have := make([]byte, 1024), 0
	for !strings.HasSuffix(string(buf[:have]), "hello") {
		n, err := nc.Read(buf[have:])
		have += n
		if err != nil {
			return have, err
		}
	}
	return have, nil
}
