package nats

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/internal/testtls"
	"github.com/seed-c4549abd/wss/pubsub"
)

// clusterTLS is for both ends of a link. With a certificate of its own a node trusts the others, and they do not trust it.
func clusterTLS(t *testing.T, own bool) *tls.Config {
	t.Helper()
	server, client := testtls.Configs(tls.VersionTLS13)
	if own {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		server.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}
	}
	return &tls.Config{
		Certificates: server.Certificates, RootCAs: client.RootCAs, ClientCAs: client.RootCAs, ClientAuth: tls.RequireAndVerifyClientCert,
		MinVersion: tls.VersionTLS13,
	}
}

// TestACluster of three nodes, with TLS and a secret: messages and members are shared, a node that ends takes its members along, and the others
// go on. A node without the secret, or without a certificate that the others trust, is not let in.
func TestACluster(t *testing.T) {
	if testing.Short() {
		t.Skip("servers need seconds to elect one of them")
	}
	config := clusterTLS(t, false)
	addresses := freeAddresses(t, 5)
	for i, a := range addresses {
		addresses[i] = strings.Replace(a, "127.0.0.1", "localhost", 1)
	}
	node := func(i int, secret string, config *tls.Config) *Engine {
		var routes []string
		for k := range 3 {
			if k != i {
				routes = append(routes, addresses[k])
			}
		}
		return startTest(t, Options{Dir: t.TempDir(), Replicas: 3, Cluster: &Cluster{
			Name: "n" + string(rune('0'+i)), Listen: addresses[i], Routes: routes[:2], TLS: config, Secret: secret,
		}})
	}
	var hubs []hub
	for i := range 3 {
		hubs = append(hubs, newHub(t, node(i, "a secret", config), chat))
	}
	// These have the names of others, which are let in nowhere.
	wrong, stranger := node(3, "a guess", config), node(4, "a secret", clusterTLS(t, true))
	ready(t, hubs[0].engine, hubs[1].engine, hubs[2].engine)

	ann, bob, carl := hubs[0].connect(t, "ann"), hubs[1].connect(t, "bob"), hubs[2].connect(t, "carl")
	ann.ask(`"type":"subscribe","topic":"x"`)
	bob.ask(`"type":"subscribe","topic":"x"`)
	ann.waitEvents("join bob")
	carl.ask(`"type":"subscribe","topic":"x"`)
	ann.waitEvents("join bob, join carl")
	for i, c := range []*client{ann, bob, carl} {
		if f := c.ask(`"type":"publish","topic":"x","data":%d`, i+1); f.Type != "published" {
			t.Fatalf("%+v", f)
		}
	}
	for _, c := range []*client{ann, bob, carl} {
		c.wait("1 2 3")
	}
	if err := hubs[2].engine.Close(); err != nil {
		t.Fatal(err)
	}
	ann.waitEvents("join bob, join carl, leave carl")
	publish(t, hubs[0], "x", "4")
	ann.wait("1 2 3 4")
	bob.wait("1 2 3 4")
	for name, e := range map[string]*Engine{"another secret": wrong, "a certificate of its own": stranger} {
		if s := e.Status(); s.Ready || s.Nodes != 1 {
			t.Errorf("%s: %+v", name, s)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		if _, err := newHub(t, e, chat).Publish(ctx, "x", []byte("5")); !errors.Is(err, pubsub.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}
