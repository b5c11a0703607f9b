package nats

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	natsgo "github.com/nats-io/nats.go"
)

// Defaults of the options.
const (
	DefaultPrefix     = "wss"
	DefaultMaxHistory = 1000
)

// maxPayload is the longest message that the server in this process takes, with its headers.
const maxPayload = 8 << 20

// Options configure an engine. The zero value is a server of one node, in this process, that forgets all when it is closed.
type Options struct {
	// URL names servers that run already, with commas between: nats://a.example:4222,nats://b.example:4222. They have to
	// be of version 2.11 or later, with JetStream. Empty: a server in this process.
	URL string
	// Credentials is a file with the credentials for URL, as NATS's tools write them. Empty: none.
	Credentials string
	// TLS is for the connections to URL. Nil: as the URL says, with the system's roots.
	TLS *tls.Config

	// Dir is where the server in this process keeps its messages; one process at a time may use it. Empty: in a temporary folder that Close removes; then a
	// node that starts again has to get them from the others.
	Dir string
	// Cluster makes the server in this process one of several. Nil: it is alone.
	Cluster *Cluster

	// Prefix is of the names of subjects, of the stream and of the bucket: hubs with another prefix share nothing. It is made of
	// at most 32 letters, digits, - and _. After a backup of the servers' files was restored, use another one: positions that
	// clients have would be taken for those of other messages. Empty: DefaultPrefix.
	Prefix string
	// Replicas is on how many servers a message is kept before Publish returns: 1, 3 or 5. With 3 one of them may be lost
	// without harm. Zero: 3 for a Cluster of three or more nodes, else 1.
	Replicas int
	// MaxHistory is how many messages of each topic with history are stored; TopicOptions.History may not be more, and counts as
	// this if it is. Zero or less: DefaultMaxHistory.
	MaxHistory int
	// MaxAge is how long messages are stored at most. Zero or less: as long as TopicOptions say; a topic with History and without
	// HistoryAge is stored until [Engine.Delete].
	MaxAge time.Duration
	// MaxBytes is how many bytes all topics may take on each replica. When they do, what is published is refused with
	// pubsub.CodeTooMany, until messages become too old or topics are deleted. Zero or less: as many as the server allows.
	MaxBytes int64

	// Logger is told what goes wrong in the engine, and in the server in this process. Nil: nobody.
	Logger *slog.Logger
}

// Cluster is for nodes with a server each.
type Cluster struct {
	// Name is the node's, and no other node of the cluster has it. A node that starts again has to have the same name.
	Name string
	// Listen is the address for the other nodes, host:port.
	Listen string
	// Routes are the addresses that the other nodes listen at. One that can be reached is enough to find the others. The first
	// node that starts needs those of the others, too.
	Routes []string
	// Advertise is the address that other nodes are told to connect to, if it is not Listen. Empty: Listen.
	Advertise string
	// TLS is for the links between nodes. A node accepts links and opens them, so it needs Certificates, RootCAs and ClientCAs;
	// without Secret, ClientAuth has to be RequireAndVerifyClientCert. Nil: the links are not encrypted, which is for one
	// machine or a network of its own.
	TLS *tls.Config `json:"-"`
	// Secret is what a node has to know to be let in. Empty: nothing, so that TLS has to keep strangers out, or the network.
	Secret string
}

// OptionError says that an option cannot be used.
type OptionError struct {
	Option string // its name
	Reason string // what is wrong, and what to do
}

// Error returns both.
func (e *OptionError) Error() string { return "nats: Options." + e.Option + " " + e.Reason }

var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// check returns the options with their defaults.
func (o Options) check() (Options, error) {
	wrong := func(option, format string, args ...any) (Options, error) {
		return o, &OptionError{option, fmt.Sprintf(format, args...)}
	}
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	if !nameForm.MatchString(o.Prefix) {
		return wrong("Prefix", "is %q: use at most 32 letters, digits, - and _", o.Prefix)
	}
	if o.MaxHistory <= 0 {
		o.MaxHistory = DefaultMaxHistory
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = -1
	}
	o.MaxAge = max(o.MaxAge, 0)
	for server := range strings.SplitSeq(o.URL, ",") {
		if u, err := url.Parse(strings.TrimSpace(server)); o.URL != "" && (err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme)) {
			return wrong("URL", "has %q: use nats://host:4222 or tls://host:4222, with commas between several", server)
		}
	}
	if !slices.Contains([]int{0, 1, 3, 5}, o.Replicas) {
		return wrong("Replicas", "is %d: use 1, 3 or 5", o.Replicas)
	}
	switch {
	case o.URL != "" && (o.Cluster != nil || o.Dir != ""):
		return wrong("URL", "is for servers that run already: leave Cluster and Dir empty, or URL")
	case o.URL == "" && o.Credentials != "":
		return wrong("Credentials", "is for URL, which is empty")
	case o.URL == "" && o.TLS != nil:
		return wrong("TLS", "is for URL, which is empty; Cluster.TLS is for the links between nodes")
	}
	if o.Credentials != "" {
		if _, err := os.Stat(o.Credentials); err != nil {
			return wrong("Credentials", "cannot be read: %v", err)
		}
	}
	if c := o.Cluster; c != nil {
		if !nameForm.MatchString(c.Name) {
			return wrong("Cluster.Name", "is %q: use at most 32 letters, digits, - and _", c.Name)
		}
		if len(c.Routes) == 0 {
			return wrong("Cluster.Routes", "is empty: name the addresses that the other nodes listen at, or leave Cluster out for a node that is alone")
		}
		addresses := append([]string{c.Listen}, c.Routes...)
		if c.Advertise != "" {
			addresses = append(addresses, c.Advertise)
		}
		for _, address := range addresses {
			if _, port, err := net.SplitHostPort(address); err != nil || port == "" || port == "0" {
				return wrong("Cluster", "has the address %q: use host:port", address)
			}
		}
		if c.TLS != nil && c.Secret == "" && c.TLS.ClientAuth != tls.RequireAndVerifyClientCert {
			return wrong("Cluster.TLS", "lets every client in: set ClientAuth to RequireAndVerifyClientCert, or Secret")
		}
		if c.TLS != nil && len(c.TLS.Certificates) == 0 && c.TLS.GetCertificate == nil {
			return wrong("Cluster.TLS", "has no certificate: nodes accept and open links, and show it in both directions")
		}
	}
	if o.Replicas == 0 {
		o.Replicas = 1
		if o.Cluster != nil && len(o.Cluster.Routes) >= 2 {
			o.Replicas = 3
		}
	}
	if o.Replicas > 1 && o.URL == "" && (o.Cluster == nil || len(o.Cluster.Routes)+1 < o.Replicas) {
		return wrong("Replicas", "is %d: that needs as many nodes, and Cluster.Routes with the others", o.Replicas)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// times of the engine; tests make them shorter.
const (
	tendEvery    = 5 * time.Second // how often topics are compared with the stream
	tendInDoubt  = time.Second     // the same while something is wrong, or was a moment ago
	beatEvery    = time.Second     // a node tells the others that it is there
	deadAfter    = 5 * time.Second // a node that has told nothing for so long
	purgeAfter   = time.Minute     // what a dead node has left is deleted
	keptAnyway   = time.Minute     // how long messages of topics without history are kept, to mend gaps
	requestWait  = 3 * time.Second // for one answer of JetStream
	retryPublish = 150 * time.Millisecond
	rememberFor  = 2 * time.Minute     // the stream knows a message that is sent again for so long
	publishFor   = rememberFor * 3 / 4 // so nothing is tried for longer than that
	giveUpAfter  = 10 * time.Second    // of trouble: then publishing fails at once
)

// ErrClosed is the error of an engine's methods after Close.
var ErrClosed = errors.New("nats: the engine is closed")

// connectOptions are those of the engine's connection.
func (e *Engine) connectOptions() []natsgo.Option {
	o := e.options
	options := []natsgo.Option{
		natsgo.Name("wss pubsub " + e.life),
		natsgo.MaxReconnects(-1),
		natsgo.IgnoreAuthErrorAbort(), // credentials may be good again
		natsgo.ReconnectWait(250 * time.Millisecond),
		natsgo.RetryOnFailedConnect(true),
		natsgo.ReconnectBufSize(-1), // nothing is kept for later: Publish tries again itself
		natsgo.Timeout(requestWait),
		natsgo.PingInterval(5 * time.Second), natsgo.MaxPingsOutstanding(2),
		natsgo.DisconnectErrHandler(func(_ *natsgo.Conn, err error) { e.doubt("the connection to NATS has ended", err) }),
		natsgo.ReconnectHandler(func(*natsgo.Conn) { e.doubt("NATS is connected again", nil) }),
		natsgo.ClosedHandler(func(*natsgo.Conn) { e.doubt("NATS has given the connection up", nil) }), // tend connects again
		natsgo.ErrorHandler(func(_ *natsgo.Conn, _ *natsgo.Subscription, err error) { e.doubt("NATS", err) }),
	}
	if e.server != nil {
		if e.password != "" {
			options = append(options, natsgo.UserInfo(clusterUser, e.password))
		}
		return append(options, natsgo.InProcessServer(e.server))
	}
	if o.Credentials != "" {
		options = append(options, natsgo.UserCredentials(o.Credentials))
	}
	if o.TLS != nil {
		options = append(options, natsgo.Secure(o.TLS))
	}
	return options
}
