package nats

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// clusterUser is the name that goes with Cluster.Secret.
const clusterUser = "wss"

// startServer starts the server in this process.
func (e *Engine) startServer() error {
	dir := e.options.Dir
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "wss-nats-"); err != nil {
			return err
		}
		e.temporary = dir
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return &OptionError{"Dir", "cannot be used: " + err.Error()}
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return &OptionError{"Dir", "is used by another engine: each needs its own, and one that ends has to be waited for: " + err.Error()}
	}
	e.lock = lock
	o := &server.Options{
		ServerName: e.life, DontListen: true, JetStream: true, StoreDir: dir, MaxPayload: maxPayload, NoSigs: true, NoLog: true,
	}
	if c := e.options.Cluster; c != nil {
		host, port, _ := net.SplitHostPort(c.Listen) // check has seen it
		o.ServerName = c.Name
		o.Cluster = server.ClusterOpts{Name: e.options.Prefix, Host: host, TLSConfig: c.TLS, TLSTimeout: 5, PoolSize: 3, ConnectRetries: 1 << 30, Advertise: c.Advertise}
		o.Cluster.Port, _ = strconv.Atoi(port)
		o.Cluster.NoAdvertise = true
		// A server without a port for clients does not open links to others. This one is for nobody.
		o.DontListen, o.Host, o.Port, o.Username, o.Password = false, "127.0.0.1", server.RANDOM_PORT, clusterUser, rand.Text()
		e.password = o.Password
		for _, route := range c.Routes {
			u := &url.URL{Scheme: "nats-route", Host: route}
			if c.Secret != "" {
				u.User = url.UserPassword(clusterUser, c.Secret)
			}
			o.Routes = append(o.Routes, u)
		}
		if c.Secret != "" {
			o.Cluster.Username, o.Cluster.Password = clusterUser, c.Secret
		}
	}
	s, err := server.NewServer(o)
	if err != nil {
		return err
	}
	log := &logger{log: e.options.Logger}
	s.SetLogger(log, false, false)
	go s.Start()
	e.server = s
	if !s.ReadyForConnections(10 * time.Second) {
		s.Shutdown()
		if why := log.lastError(); why != "" {
			return errors.New("nats: the server in this process does not start: " + why)
		}
		return errors.New("nats: the server in this process does not start within ten seconds")
	}
	return nil
}

// logger passes the server's warnings and errors on, and keeps the last error.
type logger struct {
	log  *slog.Logger
	mu   sync.Mutex
	last string
}

func (l *logger) lastError() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

func (l *logger) Errorf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.mu.Lock()
	l.last = text
	l.mu.Unlock()
	l.log.Error("nats: " + text)
}

func (l *logger) Fatalf(format string, v ...any) { l.Errorf(format, v...) }
func (l *logger) Warnf(format string, v ...any)  { l.log.Warn("nats: " + fmt.Sprintf(format, v...)) }
func (l *logger) Noticef(string, ...any)         {}
func (l *logger) Debugf(string, ...any)          {}
func (l *logger) Tracef(string, ...any)          {}
