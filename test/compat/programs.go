package main

// program is a module with WebSocket tests.
type program struct {
	module, version string
	field           string
	packages        []string
	skip            string // tests that are not run, as go test takes them; "" for none
	// prepare changes a copy before its tests are run with the drop-in. Nil: replace lines do.
	prepare func(l *laboratory, from, dir string) error
}

// original is the module whose place the drop-in takes.
const original = "github.com/gorilla/websocket"

// gorilla is the original.
var gorilla = program{
	module: original, version: "v1.5.3", field: "the original's own tests",
	packages: []string{"."}, prepare: (*laboratory).prepareOwn,
}

// programs depend on the original. What they test is their own: clients, servers, proxies and hubs.
var programs = []program{
	{
		module: "github.com/ethereum/go-ethereum", version: "v1.17.10", field: "JSON-RPC of a blockchain node",
		packages: []string{"./rpc"},
		skip:     "^TestClientNotificationStorm$", // without a socket; it wants the processor to be slow and fast enough
	},
	{
		module: "k8s.io/client-go", version: "v0.37.2", field: "exec and port-forward of Kubernetes",
		packages: []string{"./tools/remotecommand", "./transport/websocket", "./tools/portforward"},
	},
	{
		module: "github.com/slack-go/slack", version: "v0.35.0", field: "chat bots",
		packages: []string{".", "./socketmode", "./slacktest"},
	},
	{
		module: "github.com/mochi-mqtt/server/v2", version: "v2.7.9", field: "an MQTT broker",
		packages: []string{"./listeners"},
	},
	{
		module: "github.com/googollee/go-socket.io", version: "v1.7.0", field: "Socket.IO",
		packages: []string{"./engineio/..."},
	},
	{
		module: "github.com/sourcegraph/jsonrpc2", version: "v0.2.3", field: "language servers",
		packages: []string{"./..."},
	},
}
