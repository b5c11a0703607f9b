"use strict";
const https = require("node:https");
const WebSocket = require("websocket");
const { say, command, run, versionOf } = require("./common.js");

const limit = 17 << 20;
const options = { maxReceivedFrameSize: limit, maxReceivedMessageSize: limit };

// echo serves a connection, and calls ended with what is printed.
const echo = (c, ended) => {
  c.on("error", () => {});
  c.on("message", (m) => {
    if (m.type === "binary") {
      c.sendBytes(m.binaryData);
    } else if (!command(m.utf8Data, (code, reason) => c.close(code, reason), (bytes) => c.sendBytes(bytes))) {
      c.sendUTF(m.utf8Data);
    }
  });
  c.on("close", (closed, reason) => ended({ closed, reason }));
};

run({
  version: () => versionOf("websocket"),
  client: (url, ca) => new Promise((resolve, reject) => {
    const client = new WebSocket.client({ ...options, tlsOptions: { ca } });
    client.on("connectFailed", reject);
    client.on("connect", (c) => echo(c, resolve));
    client.connect(url, ["unknown", "echo"]);
  }),
  server: (port, cert, key) => {
    const server = https.createServer({ cert, key });
    new WebSocket.server({ ...options, httpServer: server, keepalive: false }).on("request", (request) => {
      echo(request.accept("echo", request.origin), say);
    });
    server.listen(port, "127.0.0.1", () => say({ listening: port }));
  },
});
