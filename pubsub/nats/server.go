package nats

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strconv"
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
	o := &server.Options{
		ServerName: e.life, DontListen: true, JetStream: true, StoreDir: dir, MaxPayload: DefaultMaxPayload, NoSigs: true, NoLog: true,
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
	s.SetLogger(logger{e.options.Logger}, false, false)
	go s.Start()
	e.server = s
	if !s.ReadyForConnections(10 * time.Second) {
		s.Shutdown()
		return fmt.Errorf("nats: the server in this process does not start; is %s in use?", o.Cluster.Host+":"+strconv.Itoa(o.Cluster.Port))
	}
	return nil
}

// logger passes the server's warnings and errors on.
type logger struct{ log *slog.Logger }

func (l logger) Noticef(string, ...any)         {}
func (l logger) Warnf(format string, v ...any)  { l.log.Warn("nats: " + fmt.Sprintf(format, v...)) }
func (l logger) Fatalf(format string, v ...any) { l.log.Error("nats: " + fmt.Sprintf(format, v...)) }
func (l logger) Errorf(format string, v ...any) { l.log.Error("nats: " + fmt.Sprintf(format, v...)) }
func (l logger) Debugf(string, ...any)          {}
func (l logger) Tracef(string, ...any)          {}
