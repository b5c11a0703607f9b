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
)

// Defaults of the options.
const (
	DefaultPrefix     = "wss"
	DefaultMaxHistory = 1000
)

// maxPayload is the longest message that the server in this process takes, with its headers.
const maxPayload = 8 << 20

// Options configure an engine. The zero value is a single node with a server in this process, whose messages Close deletes.
type Options struct {
	// URL names servers that run already, with commas between: nats://a.example:4222,nats://b.example:4222. They have to
	// be of version 2.11 or later, with JetStream. Empty: a server in this process.
	URL string
	// Credentials is a file with the credentials for URL, as NATS's tools write them. Empty: none.
	Credentials string
	// TLS is for the connections to URL. Nil: as the URL says, with the system's roots.
	TLS *tls.Config

	// Dir is the directory where the server in this process stores messages; one engine at a time may use it. Empty: a temporary
	// directory, which Close removes; a node that starts again then copies the messages from the others.
	Dir string
	// Cluster makes the server in this process one of several. Nil: it is alone.
	Cluster *Cluster

	// Prefix begins the names of the subjects, the stream and the bucket: hubs with different prefixes share nothing. It has at most 32
	// letters, digits, - and _. After a backup of the servers' files was restored, use another one, since clients have positions of
	// messages that the backup does not have. Empty: DefaultPrefix.
	Prefix string
	// Replicas is how many servers store each message: 1, 3 or 5. Publish returns when most of them have it, so with 3 one of them
	// may be lost, and with 5 two. Zero: 3 for a Cluster of three or more nodes, else 1.
	Replicas int
	// MaxHistory is how many messages of each topic are stored. A TopicOptions.History above it counts as MaxHistory. Zero or less:
	// DefaultMaxHistory.
	MaxHistory int
	// MaxAge is how long messages are stored at most. Zero or less: as long as TopicOptions say; the last MaxHistory messages of a topic
	// with History and without HistoryAge are stored until [Engine.Delete].
	MaxAge time.Duration
	// MaxBytes is how many bytes the messages of all topics may take on each replica. Beyond it Publish fails with
	// pubsub.CodeTooMany, until messages become too old or topics are deleted. Zero or less: as many as the server allows.
	MaxBytes int64

	// Logger receives the warnings and errors of the engine and of the server in this process. Nil: they are discarded.
	Logger *slog.Logger
}

// Cluster configures the server in this process as one of several.
type Cluster struct {
	// Name is the node's name, unique in the cluster, of at most 32 letters, digits, - and _. A node that starts again needs the same
	// name.
	Name string
	// Listen is the address for the other nodes, host:port.
	Listen string
	// Routes are the addresses that the other nodes listen at. One that can be reached is enough to find the others. Every node needs
	// them, the one that starts first, too.
	Routes []string
	// Advertise is the address that other nodes are told to connect to, if it is not Listen. Empty: Listen.
	Advertise string
	// TLS is for the connections between nodes. A node accepts and dials them, so it needs Certificates, RootCAs and ClientCAs; without
	// Secret, ClientAuth has to be RequireAndVerifyClientCert. Nil: they are not encrypted, which is for one machine or a private
	// network.
	TLS *tls.Config `json:"-"`
	// Secret is a password that all nodes share. Empty: none, so TLS or the network has to keep others out.
	Secret string
}

// OptionError is the error of Start for an option that cannot be used.
type OptionError struct {
	Option string // its name
	Reason string // what is wrong, and what to do
}

// Error returns the option and the reason.
func (e *OptionError) Error() string { return "nats: Options." + e.Option + " " + e.Reason }

var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// check returns the options with their defaults, or an *OptionError.
func (o Options) check() (Options, error) {
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	if o.MaxHistory <= 0 {
		o.MaxHistory = DefaultMaxHistory
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = -1
	}
	o.MaxAge = max(o.MaxAge, 0)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if !nameForm.MatchString(o.Prefix) {
		return o, wrong("Prefix", "is %q: use at most 32 letters, digits, - and _", o.Prefix)
	}
	if err := o.checkURL(); err != nil {
		return o, err
	}
	if o.Cluster != nil {
		if err := o.Cluster.check(); err != nil {
			return o, err
		}
	}
	return o.checkReplicas()
}

func wrong(option, format string, args ...any) error {
	return &OptionError{option, fmt.Sprintf(format, args...)}
}

// checkURL checks URL, and the options that go with it or not.
func (o Options) checkURL() error {
	for server := range strings.SplitSeq(o.URL, ",") {
		if u, err := url.Parse(strings.TrimSpace(server)); o.URL != "" && (err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme)) {
			return wrong("URL", "has %q: use nats://host:4222 or tls://host:4222, with commas between several", server)
		}
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
	return nil
}

// checkReplicas returns the options with the default of Replicas.
func (o Options) checkReplicas() (Options, error) {
	if !slices.Contains([]int{0, 1, 3, 5}, o.Replicas) {
		return o, wrong("Replicas", "is %d: use 1, 3 or 5", o.Replicas)
	}
	if o.Replicas == 0 {
		o.Replicas = 1
		if o.Cluster != nil && len(o.Cluster.Routes) >= 2 {
			o.Replicas = 3
		}
	}
	if o.Replicas > 1 && o.URL == "" && (o.Cluster == nil || len(o.Cluster.Routes)+1 < o.Replicas) {
		return o, wrong("Replicas", "is %d: that needs as many nodes, and Cluster.Routes with the others", o.Replicas)
	}
	return o, nil
}

func (c *Cluster) check() error {
	if !nameForm.MatchString(c.Name) {
		return wrong("Cluster.Name", "is %q: use at most 32 letters, digits, - and _", c.Name)
	}
	if len(c.Routes) == 0 {
		return wrong("Cluster.Routes", "is empty: name the addresses that the other nodes listen at, or leave Cluster out for a single node")
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
	return nil
}

// Times of the engine.
const (
	maintainEvery  = 5 * time.Second // how often topics are compared with the stream
	retryEvery     = time.Second     // the same while something is wrong or was recently, and the wait after an error
	beatEvery      = time.Second     // between heartbeats
	deadAfter      = 5 * time.Second // silence after which an engine counts as dead
	purgeAfter     = time.Minute     // silence after which the members of an engine are deleted
	minRetention   = time.Minute     // how long messages of topics without history are stored, so that nodes can catch up
	requestTimeout = 3 * time.Second // for one answer of JetStream
	retryPublish   = 150 * time.Millisecond
	deduplicateFor = 2 * time.Minute        // how long the stream recognizes a message that is sent again
	publishTimeout = deduplicateFor * 3 / 4 // shorter, so that no message is stored twice
	giveUpAfter    = 10 * time.Second       // without the stream, after which publishing fails at once
)

// ErrClosed is the error of an engine's methods after Close.
var ErrClosed = errors.New("nats: the engine is closed")
