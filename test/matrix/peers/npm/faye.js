"use strict";
const https = require("node:https");
const WebSocket = require("faye-websocket");
const deflate = require("permessage-deflate");
const { say, command, run, versionOf } = require("./common.js");

const options = { maxLength: 17 << 20, extensions: [deflate] };

const echo = (ws) => {
  ws.on("message", ({ data }) => {
    if (typeof data !== "string" || !command(data, (code, reason) => ws.close(code, reason), (bytes) => ws.send(bytes))) {
      ws.send(data);
    }
  });
};

run({
  version: () => versionOf("faye-websocket"),
  client: (url, ca) => new Promise((resolve, reject) => {
    const ws = new WebSocket.Client(url, ["unknown", "echo"], { ...options, tls: { ca } });
    let opened = false;
    ws.on("open", () => { opened = true; });
    echo(ws);
    ws.on("error", (event) => { if (!opened) reject(new Error(event.message)); });
    ws.on("close", ({ code, reason }) => (opened ? resolve({ closed: code, reason }) : reject(new Error(`closed with ${code}`))));
  }),
  server: (port, cert, key) => {
    const server = https.createServer({ cert, key });
    server.on("upgrade", (request, socket, body) => {
      const ws = new WebSocket(request, socket, body, ["echo"], options);
      ws.on("error", () => {});
      echo(ws);
      ws.on("close", ({ code, reason }) => say({ closed: code, reason }));
    });
    server.listen(port, "127.0.0.1", () => say({ listening: port }));
  },
});
