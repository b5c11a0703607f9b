package conn

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"reflect"
)

// dial connects to the URL's host, in the way that the options say, and performs the handshakes.
func (a *attempt) dial(ctx context.Context) (*Conn, *http.Response, error) {
	hooks := httptrace.ContextClientTrace(ctx)
	if hooks != nil && hooks.GetConn != nil {
		hooks.GetConn(address(a.u))
	}
	if a.o.Multiplexer != nil && secureScheme(a.u) {
		c, resp, err := a.dialStream(ctx)
		if !errors.Is(err, ErrNoStreams) {
			return c, resp, err
		}
	}
	nc, kind, err := a.reach(ctx)
	if err != nil {
		if _, ok := errors.AsType[*ProxyError](err); !ok {
			err = fmt.Errorf("websocket: dial %s://%s: %w", a.u.Scheme, a.u.Host, err)
		}
		return nil, nil, err
	}
	if err := ctx.Err(); err != nil { // whoever dialed has not looked: nothing is sent any more
		closeAbruptly(nc)
		return nil, nil, fmt.Errorf("websocket: dial %s://%s: %w", a.u.Scheme, a.u.Host, err)
	}
	return a.connect(ctx, nc, kind)
}

// reach returns a connection to the URL's host: through a proxy, by NetDialTLS or by NetDial.
func (a *attempt) reach(ctx context.Context) (net.Conn, below, error) {
	kind := asItIs
	if secureScheme(a.u) {
		kind = belowTLS
	}
	p, err := a.chooseProxy(ctx)
	switch {
	case err != nil:
		return nil, kind, err
	case p != nil:
		if kind == asItIs {
			kind = throughProxy
		}
		nc, err := p.dial(ctx, address(a.u))
		return nc, kind, err
	case kind == belowTLS && a.o.NetDialTLS != nil:
		nc, err := a.o.dialTLS(ctx, address(a.u))
		return nc, asItIs, err
	}
	nc, err := a.o.dialNet(ctx, address(a.u))
	return nc, kind, err
}

func (o *DialOptions) dialNet(ctx context.Context, addr string) (net.Conn, error) {
	dial := o.NetDial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	nc, err := dial(ctx, "tcp", addr)
	if err == nil && isNil(nc) {
		err = errors.New("NetDial returned neither a connection nor an error")
	}
	return nc, err
}

func (o *DialOptions) dialTLS(ctx context.Context, addr string) (net.Conn, error) {
	nc, err := o.NetDialTLS(ctx, "tcp", addr)
	if err == nil && isNil(nc) {
		err = errors.New("NetDialTLS returned neither a connection nor an error")
	}
	return nc, err
}

// isNil reports whether an interface holds nothing: a nil pointer is nothing, too.
func isNil(v any) bool {
	r := reflect.ValueOf(v)
	return v == nil || r.Kind() == reflect.Pointer && r.IsNil()
}
