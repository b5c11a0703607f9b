// The WebSocket of the HTML standard in Node.js as a client of a server of this library, which fetch has talked to over HTTP/2. Its argument
// is the server's host with port.
import assert from "node:assert/strict";
import { say } from "./websocket.mjs";

const host = process.argv[2];

// open resolves with a WebSocket that is open, or rejects with the text of what happened in place of that.
function open(path) {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket("wss://" + host + path, ["other", "echo"]);
    const events = [];
    ws.binaryType = "arraybuffer";
    ws.addEventListener("open", () => resolve(ws));
    ws.addEventListener("error", (e) => events.push("error " + e.message));
    ws.addEventListener("close", (e) => reject(new Error([...events, "close", e.code].join(" "))));
  });
}

function next(ws) {
  return new Promise((resolve, reject) => {
    ws.onmessage = (e) => resolve(e.data);
    ws.onclose = (e) => reject(new Error("closed with " + e.code));
  });
}

function end(ws) {
  return new Promise((resolve) => ws.addEventListener("close", (e) => resolve({ code: e.code, reason: e.reason, clean: e.wasClean })));
}

async function echo(ws, size) {
  let answer = next(ws);
  ws.send("e".repeat(size));
  assert.equal((await answer), "e".repeat(size));
  const bytes = Uint8Array.from({ length: size }, (_, i) => i % 251);
  answer = next(ws);
  ws.send(bytes);
  assert.ok(Buffer.from(bytes).equals(Buffer.from(await answer)), `${size} bytes came back changed`);
}

async function close(ws) {
  ws.close();
  await end(ws);
}

const checks = {
  async shares() {
    const page = await (await fetch(`https://${host}/address`)).json();
    const ws = await open("/echo?id=shares");
    const answer = next(ws);
    ws.send("address");
    const way = JSON.parse(await answer);
    await close(ws);
    assert.deepEqual([page.version, way], ["HTTP/2.0", { version: "HTTP/2", address: page.address }]);
  },
  async echo() {
    const ws = await open("/echo?id=echo");
    assert.equal(ws.protocol, "echo");
    for (const size of [0, 1, 125, 126, 70000, 1 << 20]) await echo(ws, size);
    await close(ws);
  },
  async closes() {
    const ws = await open("/echo?id=closes");
    ws.close(4001, "bye");
    assert.deepEqual(await end(ws), { code: 4001, reason: "", clean: true });
  },
  async closed() {
    const ws = await open("/echo?id=closed");
    ws.send("close 4002 enough");
    assert.deepEqual(await end(ws), { code: 4002, reason: "enough", clean: true });
  },
  async refused() {
    const ws = await open("/echo?id=other");
    await assert.rejects(open("/refuse"), /error .*close 1006/);
    await echo(ws, 10);
    await close(ws);
  },
};

for (const [check, run] of Object.entries(checks)) {
  try {
    await Promise.race([run(), new Promise((_, reject) => setTimeout(reject, 8000, new Error("it takes more than eight seconds")))]);
    say({ check });
  } catch (e) {
    say({ check, failed: e.message });
  }
}
process.exit(0);
