package main

import (
	"os"
	"path/filepath"
	"strconv"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/native"
	"github.com/seed-c4549abd/wss/bench/report"
)

// The lines of the tables.
const (
	wssName               = "wss"
	wssHistoryName        = "wss-history"
	centrifugeName        = "centrifuge"
	centrifugeHistoryName = "centrifuge-history"
	uwsName               = "uWebSockets"
	byHandName            = "by-hand"
)

// historySize is how many messages are kept of each topic by the lines with history.
const historySize = 100

// server is one that takes part, and how it is started.
type server struct {
	name, setup string
	kind        libs.Kind
	protocol    protocol
	isGo        bool // so that it can be asked for its heap
	start       func(k *native.Keys) (*native.Process, error)
}

// goServers are those that are this program again.
func goServers() []server {
	history := ", with a history of " + strconv.Itoa(historySize) + " messages"
	return []server{
		goServer(wssName, wssSetup, libs.Ours, pubsubProtocol),
		goServer(wssHistoryName, "as wss"+history, libs.Ours, pubsubProtocol),
		goServer(centrifugeName, centrifugeSetup, libs.Peer, centrifugeProtocol),
		goServer(centrifugeHistoryName, "as centrifuge"+history+" and recovery", libs.Peer, centrifugeProtocol),
		goServer(byHandName, byHandSetup, libs.Peer, plainProtocol),
	}
}

func goServer(name, setup string, kind libs.Kind, p protocol) server {
	return server{name: name, setup: setup, kind: kind, protocol: p, isGo: true, start: again(name)}
}

// again starts this program as a server.
func again(name string) func(*native.Keys) (*native.Process, error) {
	return func(k *native.Keys) (*native.Process, error) {
		program, err := os.Executable()
		if err != nil {
			return nil, err
		}
		return native.Start([]string{child.Env + "=-server"}, program, "-server", name, k.CertFile(), k.KeyFile())
	}
}

const uwsSetup = "app.publish in C, from Loop::defer, and ws.subscribe; no compression, no idle timeout, one thread; BoringSSL, libuv"

// uwsServer builds the server on uWebSockets; source is the directory of the foreign servers.
func uwsServer(b *native.Builder, source string) (server, report.Module, error) {
	program, version, err := b.UWS(filepath.Join(source, "uws"), "topics")
	return server{
		name: uwsName, setup: uwsSetup, kind: libs.Peer, protocol: plainProtocol,
		start: func(k *native.Keys) (*native.Process, error) {
			return native.Start(nil, program, k.CertFile(), k.KeyFile())
		},
	}, report.Module{Path: "uWebSockets 20, in socketify", Version: version}, err
}
