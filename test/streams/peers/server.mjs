// A server of node:http2 that takes extended CONNECTs (RFC 8441). Its arguments are a certificate and its key, in one file.
import { readFileSync } from "node:fs";
import { constants, createSecureServer } from "node:http2";
import { overStream, say } from "./websocket.mjs";

const pem = readFileSync(process.argv[2]);
const server = createSecureServer({ cert: pem, key: pem, settings: { enableConnectProtocol: true } });

server.on("stream", (stream, headers) => {
  stream.on("error", () => {});
  const url = new URL(headers[":path"], "https://localhost");
  if (headers[":method"] !== "CONNECT" || headers[":protocol"] !== "websocket" || url.pathname !== "/echo") {
    stream.respond({ ":status": 403 }, { endStream: true });
    return;
  }
  stream.respond({ ":status": 200, "sec-websocket-protocol": "echo" });
  const ws = overStream(stream, true, "echo");
  ws.on("close", (code, reason) => say({ id: url.searchParams.get("id"), code, reason: reason.toString() }));
  ws.on("message", (data, binary) => {
    const [word, code, reason] = binary ? [] : data.toString().split(" ");
    if (word === "close") ws.close(Number(code), reason);
    else if (word === "reset") stream.close(constants.NGHTTP2_CANCEL);
    else ws.send(data, { binary });
  });
});

server.listen(0, "127.0.0.1", () => say({ listening: server.address().port }));
