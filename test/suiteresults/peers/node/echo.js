// Echoes messages with ws, with compression.
"use strict";
const { WebSocketServer } = require("ws");

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: true, maxPayload: 32 << 20 });
server.on("listening", () => console.log(`listening ws://127.0.0.1:${server.address().port}`));
server.on("connection", (ws) => {
  ws.on("error", () => {}); // what went wrong is for the suite to say
  ws.on("message", (data, binary) => ws.send(data, { binary }));
});
