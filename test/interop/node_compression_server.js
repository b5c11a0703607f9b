// Serves WebSocket over TLS with ws, compressed as a plan says for each connection.
//
// node_compression_server.js CERTFILE PLANFILE

"use strict";
const { readFileSync } = require("node:fs");
const https = require("node:https");
const { WebSocketServer } = require("ws");

const say = (what) => console.log(JSON.stringify(what));

const [certFile, planFile] = process.argv.slice(2);
const pem = readFileSync(certFile);
const plan = JSON.parse(readFileSync(planFile));
const server = https.createServer({ cert: pem, key: pem });

server.on("upgrade", (request, socket, head) => {
  const id = Number(new URL(request.url, "https://localhost").searchParams.get("id"));
  const { theirs } = plan.links[id];
  const wss = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: 1 << 20,
    perMessageDeflate: {
      threshold: 0,
      serverNoContextTakeover: theirs.serverAlone || undefined,
      clientNoContextTakeover: theirs.clientAlone || undefined,
      serverMaxWindowBits: theirs.serverBits || undefined,
      clientMaxWindowBits: theirs.clientBits || undefined,
    },
  });
  const outcome = { connection: id, extensions: "", messages: 0, error: "" };
  wss.on("headers", (headers) => {
    const found = headers.find((header) => /^sec-websocket-extensions:/i.test(header)) ?? "";
    outcome.extensions = found.replace(/^[^:]*: */, "");
  });
  wss.handleUpgrade(request, socket, head, (ws) => {
    ws.on("error", (why) => { outcome.error = String(why); });
    ws.on("close", () => say(outcome));
    ws.on("message", (data, binary) => {
      outcome.messages++;
      ws.send(data, { binary });
    });
  });
});
server.listen(0, "127.0.0.1", () => say({ listening: [server.address().port] }));
