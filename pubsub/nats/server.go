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

// clusterUser is the user name that goes with Cluster.Secret.
const clusterUser = "wss"

// startServer starts the server in this process, with a lock on its directory.
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
	lock, err := lockDirectory(dir)
	if err != nil {
		return &OptionError{"Dir", "is used by another engine: each needs its own, until its Close has returned: " + err.Error()}
	}
	e.lock = lock
	o := &server.Options{
		ServerName: e.id, DontListen: true, JetStream: true, StoreDir: dir, MaxPayload: maxPayload, NoSigs: true, NoLog: true,
	}
	if c := e.options.Cluster; c != nil {
		e.password = rand.Text()
		c.configure(o, e.options.Prefix, e.password)
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

// configure makes a server one of the cluster of this name. password is for clients of its port.
func (c *Cluster) configure(o *server.Options, cluster, password string) {
	host, port, _ := net.SplitHostPort(c.Listen) // check has parsed it
	o.ServerName = c.Name
	o.Cluster = server.ClusterOpts{
		Name: cluster, Host: host, TLSConfig: c.TLS, TLSTimeout: 5, PoolSize: 3, ConnectRetries: 1 << 30, Advertise: c.Advertise, NoAdvertise: true,
	}
	o.Cluster.Port, _ = strconv.Atoi(port)
	// A server without a port for clients does not connect to others. This port and its password are given to nobody.
	o.DontListen, o.Host, o.Port, o.Username, o.Password = false, "127.0.0.1", server.RANDOM_PORT, clusterUser, password
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
