package child

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/google/pprof/profile"

	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/shares"
)

// process is the child's side.
type process struct {
	lib    libs.Lib
	hub    *libs.Hub
	client libs.Conn
	send   func(libs.Conn, int) error

	profile *bytes.Buffer // that is being written, if one is
}

// Run is a child: it reads its Setup, then Requests, until stdin ends.
func Run(stdin io.Reader, stdout io.Writer) error {
	in := json.NewDecoder(bufio.NewReader(stdin))
	out := json.NewEncoder(stdout)
	var setup Setup
	if err := in.Decode(&setup); err != nil {
		return fmt.Errorf("reading the setup: %w", err)
	}
	p, addr, err := start(setup)
	if err != nil {
		return out.Encode(Reply{Error: err.Error()})
	}
	stop, err := profileTo(setup.Profile)
	if err != nil {
		return out.Encode(Reply{Error: err.Error()})
	}
	defer stop()
	if err := out.Encode(Reply{Addr: addr}); err != nil {
		return err
	}
	for {
		var req Request
		if err := in.Decode(&req); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		reply, err := p.do(req)
		if err != nil {
			reply.Error = err.Error()
		}
		if err := out.Encode(reply); err != nil {
			return err
		}
	}
}

// samplesPerSecond of processor time: more than pprof's own 100, and no more than Linux makes
// where its clock ticks 250 times.
const samplesPerSecond = 250

// rateSet is what the runtime then says when pprof asks it for 100, in vain.
const rateSet = "runtime: cannot set cpu profile rate until previous profile has finished.\n"

// profileTo writes a CPU profile until the function is called.
func profileTo(name string) (stop func(), err error) {
	if name == "" {
		return func() {}, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}, nil
}

func start(s Setup) (*process, string, error) {
	lib, err := libs.Find(s.Lib)
	if err != nil {
		return nil, "", err
	}
	if s.Addr != "" {
		return startClient(lib, s)
	}
	o := libs.Options{Message: s.Message, Many: s.Many, Deflate: s.Deflate, WindowBits: s.WindowBits, Limit: s.Limit}
	if s.TLS {
		if o.TLS, err = ServerTLS(s.Cert, s.Key); err != nil {
			return nil, "", err
		}
	}
	if s.Speaks {
		o.Hub = &libs.Hub{}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	go func() { _ = lib.Serve(ln, o) }()
	return &process{lib: lib, hub: o.Hub}, ln.Addr().String(), nil
}

func startClient(lib libs.Lib, s Setup) (*process, string, error) {
	if lib.Dial == nil {
		return nil, "", fmt.Errorf("%s has no client", lib.Name)
	}
	cfg, err := ClientTLS(s.Cert)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := lib.Dial(ctx, s.Addr, cfg)
	return &process{lib: lib, client: c}, s.Addr, err
}

func (p *process) do(req Request) (Reply, error) {
	switch req.Op {
	case OpBegin, OpEnd:
		return usage(req.Op == OpBegin), nil
	case OpMemory:
		return Memory(), nil
	case OpProfile:
		var b bytes.Buffer
		runtime.SetCPUProfileRate(samplesPerSecond)
		if err := pprof.StartCPUProfile(&b); err != nil {
			return Reply{}, err
		}
		p.profile = &b
		return Reply{}, nil
	case OpShares:
		if p.profile == nil {
			return Reply{}, errors.New("nobody has asked for a profile")
		}
		pprof.StopCPUProfile()
		parsed, err := profile.Parse(p.profile)
		p.profile = nil
		if err != nil {
			return Reply{}, err
		}
		return Reply{Shares: shares.Of(parsed)}, nil
	case OpConns:
		return Reply{Conns: len(p.hub.Conns())}, nil
	case OpWrite:
		return Reply{}, p.write(req)
	case OpPrepare:
		if p.lib.Prepare == nil {
			return Reply{}, fmt.Errorf("%s has no prepared messages", p.lib.Name)
		}
		var err error
		p.send, err = p.lib.Prepare(Pattern(req.Size))
		return Reply{}, err
	case OpPublish:
		for _, c := range p.hub.Conns() {
			if err := p.send(c, req.Count); err != nil {
				return Reply{}, err
			}
		}
		return Reply{}, nil
	}
	return Reply{}, fmt.Errorf("unknown operation %q", req.Op)
}

// write has goroutines write to the one connection that there is.
func (p *process) write(req Request) error {
	c := p.client
	if c == nil {
		conns := p.hub.Conns()
		if len(conns) != 1 {
			return fmt.Errorf("%d connections, want one", len(conns))
		}
		c = conns[0]
	}
	var wg sync.WaitGroup
	errs := make(chan error, req.Goroutines)
	for range req.Goroutines {
		wg.Go(func() {
			data := Pattern(req.Size)
			for range req.Count {
				if err := c.Write(data); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// Pattern is the payload of messages that a child sends by itself.
func Pattern(n int) []byte {
	return bytes.Repeat([]byte("websocket over tls, measured; "), n/30+1)[:n]
}
