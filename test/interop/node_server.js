// Serves WebSocket over TLS with ws; the path says what it does with messages.
//
// node_server.js CERTFILE

"use strict";
const { readFileSync } = require("node:fs");
const https = require("node:https");
const { WebSocketServer } = require("ws");

const say = (what) => console.log(JSON.stringify(what));

const behaviours = {
  "/echo": (ws) => ws.on("message", (data, binary) => ws.send(data, { binary })),
  "/stream": (ws) => ws.on("message", (data, binary) => {
    for (let at = 0; at < data.length; at += 1000) {
      ws.send(data.subarray(at, at + 1000), { binary, fin: at + 1000 >= data.length });
    }
  }),
  "/ping": (ws) => ws.once("message", () => {
    ws.once("pong", () => ws.send("answered"));
    ws.ping("payload");
  }),
  "/close": (ws, query) => ws.once("message", () => ws.close(Number(query.get("code")), query.get("reason"))),
};

const pem = readFileSync(process.argv[2]);
const server = https.createServer({ cert: pem, key: pem });
const wss = new WebSocketServer({
  server,
  maxPayload: 1 << 20,
  handleProtocols: (offered) => (offered.has("echo") ? "echo" : false),
});
wss.on("connection", (ws, request) => {
  const target = new URL(request.url, "https://localhost");
  const id = target.searchParams.get("id") ?? "";
  ws.on("error", () => {}); // the close event follows, and says what to print
  ws.on("close", (code, reason) => say({ closed: id, code, reason: reason.toString() }));
  behaviours[target.pathname](ws, target.searchParams);
});
server.listen(0, "127.0.0.1", () => say({ listening: server.address().port }));
