"use strict";
const https = require("node:https");
const { WebSocket, WebSocketServer } = require("ws");
const { say, command, run, versionOf } = require("./common.js");

const limit = 17 << 20;

const echo = (ws) => {
  ws.on("error", () => {}); // the close event follows
  ws.on("message", (data, binary) => {
    if (binary || !command(data.toString(), (code, reason) => ws.close(code, reason), (bytes) => ws.send(bytes))) {
      ws.send(data, { binary });
    }
  });
};

run({
  version: () => versionOf("ws"),
  client: (url, ca) => new Promise((resolve, reject) => {
    const ws = new WebSocket(url, ["unknown", "echo"], { ca, maxPayload: limit });
    let opened = false;
    ws.on("open", () => { opened = true; });
    echo(ws);
    ws.on("error", (why) => { if (!opened) reject(why); });
    ws.on("close", (code, reason) => resolve({ closed: code, reason: reason.toString() }));
  }),
  server: (port, cert, key) => {
    const server = https.createServer({ cert, key });
    const wss = new WebSocketServer({
      server, maxPayload: limit, perMessageDeflate: true, handleProtocols: (offered) => (offered.has("echo") ? "echo" : false),
    });
    wss.on("connection", (ws) => {
      echo(ws);
      ws.on("close", (code, reason) => say({ closed: code, reason: reason.toString() }));
    });
    server.listen(port, "127.0.0.1", () => say({ listening: port }));
  },
});
