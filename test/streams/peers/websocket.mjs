// What client.mjs and server.mjs share: a WebSocket of the npm package ws over a stream of node:http2.
import { createRequire } from "node:module";

const { WebSocket } = createRequire(process.env.MODULES + "/")("ws");

export const limit = 32 << 20;

// overStream does what ws does behind a handshake of HTTP/1.1.
export function overStream(stream, server, protocol) {
  const ws = new WebSocket(null, undefined, { closeTimeout: 5000 });
  ws._isServer = server;
  ws._protocol = protocol;
  ws.on("error", () => {}); // "close" follows
  ws.setSocket(stream, Buffer.alloc(0), { allowSynchronousEvents: true, maxPayload: limit, skipUTF8Validation: false });
  return ws;
}

export function say(what) {
  console.log(JSON.stringify(what));
}
