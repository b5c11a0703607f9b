// The WebSocket of the HTML standard, in whatever has one: Node, undici, Deno and Bun, as clients; Deno and Bun as servers.
"use strict";
const { readFileSync } = require("node:fs");
const { spawnSync } = require("node:child_process");
const { say, command, run, versionOf } = require("./common.js");

const which = process.env.PEER;
const limit = 17 << 20;

// An environment takes the authority when it starts.
if (process.argv[2] === "client" && !process.env.AUTHORITY_SET && (which === "node" || which === "deno")) {
  const ca = process.argv[3];
  const env = { ...process.env, AUTHORITY_SET: "1", NODE_EXTRA_CA_CERTS: ca, DENO_CERT: ca };
  const args = which === "deno" ? ["run", "--allow-all", ...process.argv.slice(1)] : process.argv.slice(1);
  process.exit(spawnSync(process.execPath, args, { env, stdio: "inherit" }).status);
}

const open = (url, ca) => {
  const protocols = ["unknown", "echo"];
  switch (which) {
    case "undici": {
      const { WebSocket, Agent } = require("undici");
      return new WebSocket(url, { protocols, dispatcher: new Agent({ connect: { ca } }) });
    }
    case "bun":
      return new WebSocket(url, { protocols, tls: { ca: ca.toString() } });
  }
  return new WebSocket(url, protocols);
};

const client = (url, ca) => new Promise((resolve, reject) => {
  const ws = open(url, ca);
  ws.binaryType = "arraybuffer";
  let opened = false;
  ws.onopen = () => { opened = true; };
  ws.onerror = (event) => { if (!opened) reject(new Error(event.message || (event.error && event.error.message) || "no connection")); };
  ws.onmessage = ({ data }) => {
    if (typeof data !== "string" || !command(data, (code, reason) => ws.close(code, reason), (bytes) => ws.send(bytes))) {
      ws.send(data);
    }
  };
  ws.onclose = ({ code, reason }) => (opened ? resolve({ closed: code, reason }) : reject(new Error(`closed with ${code} before it was open`)));
});

const echo = (send, close, data) => {
  if (typeof data !== "string" || !command(data, close, send)) {
    send(data);
  }
};

const server = (port, cert, key) => {
  if (which === "bun") {
    Bun.serve({
      port, hostname: "127.0.0.1", tls: { cert: cert.toString(), key: key.toString() },
      fetch: (request, server) => (server.upgrade(request, { headers: { "Sec-WebSocket-Protocol": "echo" } }) ? undefined : new Response("no", { status: 400 })),
      websocket: {
        perMessageDeflate: true, maxPayloadLength: limit, idleTimeout: 60, backpressureLimit: 64 << 20,
        message: (ws, data) => echo((m) => ws.send(m), (code, reason) => ws.close(code, reason), data),
        close: (ws, code, reason) => say({ closed: code, reason }),
      },
    });
    say({ listening: port });
    return;
  }
  Deno.serve({ port, hostname: "127.0.0.1", cert: cert.toString(), key: key.toString(), onListen: () => say({ listening: port }) }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol: "echo", idleTimeout: 0 });
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => echo((m) => socket.send(m), (code, reason) => socket.close(code, reason), data);
    socket.onclose = ({ code, reason }) => say({ closed: code, reason });
    return response;
  });
};

run({
  version: () => ({
    bun: () => Bun.version, deno: () => Deno.version.deno, node: () => process.version.slice(1), undici: () => versionOf("undici"),
  })[which](),
  client,
  server,
});
