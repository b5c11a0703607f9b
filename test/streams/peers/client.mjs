// A client of node:http2 that sends extended CONNECTs (RFC 8441) to a server of this library. Its arguments are the server's host with
// port, and a file with the certificate authority.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, constants } from "node:http2";
import { overStream, say } from "./websocket.mjs";

const [host, caFile] = process.argv.slice(2);
const session = connect("https://" + host, { ca: readFileSync(caFile) });

// open resolves with the status of the answer and, if that is 200, a WebSocket.
async function open(path) {
  const stream = session.request({
    ":method": "CONNECT", ":protocol": "websocket", ":scheme": "https", ":authority": host, ":path": path,
    "sec-websocket-version": "13", "sec-websocket-protocol": "other, echo", origin: "https://" + host,
  });
  stream.on("error", () => {});
  const [headers] = await once(stream, "response");
  const status = headers[":status"];
  if (status !== 200) {
    stream.resume();
    return { status };
  }
  return { status, stream, ws: overStream(stream, false, headers["sec-websocket-protocol"]) };
}

async function echo(ws, data, binary) {
  ws.send(data, { binary });
  const [answer, wasBinary] = await once(ws, "message");
  assert.equal(wasBinary, binary);
  assert.ok(Buffer.from(data).equals(answer), `${data.length} bytes came back changed`);
}

async function end(ws) {
  const [code, reason] = await once(ws, "close");
  return { code, reason: reason.toString() };
}

const checks = {
  async settings() {
    if (session.remoteSettings === undefined || !("enableConnectProtocol" in session.remoteSettings)) await once(session, "remoteSettings");
    assert.equal(session.remoteSettings.enableConnectProtocol, true);
  },
  async echo() {
    const { ws } = await open("/echo?id=echo");
    assert.equal(ws.protocol, "echo");
    for (const size of [0, 1, 125, 126, 70000, 1 << 20]) {
      await echo(ws, Buffer.alloc(size, "e"), false);
      await echo(ws, Buffer.alloc(size, 0xfe), true);
    }
    ws.close();
    await end(ws);
  },
  async closes() {
    const { ws } = await open("/echo?id=closes");
    ws.close(4001, "bye");
    assert.deepEqual(await end(ws), { code: 4001, reason: "" });
  },
  async closed() {
    const { ws } = await open("/echo?id=closed");
    ws.send("close 4002 enough");
    assert.deepEqual(await end(ws), { code: 4002, reason: "enough" });
  },
  async reset() {
    const { ws: stays } = await open("/echo?id=stays");
    const { ws } = await open("/echo?id=reset");
    ws.send("reset");
    assert.equal((await end(ws)).code, 1006);
    await echo(stays, "on", false);
    stays.close();
    await end(stays);
  },
  async resets() {
    const { ws, stream } = await open("/echo?id=resets");
    await echo(ws, "on", false);
    stream.close(constants.NGHTTP2_CANCEL);
    await end(ws);
  },
  async refused() {
    const { ws } = await open("/echo?id=other");
    assert.equal((await open("/refuse")).status, 403);
    await echo(ws, "on", false);
    ws.close();
    await end(ws);
  },
  async many() {
    const all = await Promise.all(Array.from({ length: 100 }, (_, i) => open("/echo?id=many" + i)));
    await Promise.all(all.map(({ ws }, i) => echo(ws, "m".repeat(100 * i), false)));
    await Promise.all(all.map(({ ws }) => (ws.close(), end(ws))));
  },
};

for (const [check, run] of Object.entries(checks)) {
  try {
    await run();
    say({ check });
  } catch (e) {
    say({ check, failed: e.message });
  }
}
session.close();
