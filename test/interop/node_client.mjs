// Checks a WebSocket server over TLS with ws, one line of JSON a check.
//
// node_client.mjs URL CAFILE

import { readFileSync } from "node:fs";
import { once } from "node:events";
import WebSocket from "ws";

const [url, caFile] = process.argv.slice(2);
const ca = readFileSync(caFile);
const sizes = [1, 125, 126, 65535, 65536, 1 << 20];
const pipelined = 500;

// Peer is a client whose messages are waited for one by one.
class Peer {
  constructor(path, options = { ca }) {
    this.ws = new WebSocket(url + path, ["unknown", "echo"], options);
    this.messages = [];
    this.waiting = [];
    this.closed = new Promise((resolve) => {
      this.ws.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    this.failed = new Promise((_, reject) => this.ws.on("error", reject));
    this.failed.catch(() => {}); // whoever waits will see it
    this.ws.on("message", (data, isBinary) => {
      const message = isBinary ? data : data.toString();
      const next = this.waiting.shift();
      if (next) next(message);
      else this.messages.push(message);
    });
  }

  async open() {
    await Promise.race([once(this.ws, "open"), this.failed]);
    return this;
  }

  receive() {
    if (this.messages.length > 0) return this.messages.shift();
    const lost = this.closed.then(({ code }) => { throw new Error(`closed with ${code}`); });
    lost.catch(() => {});
    return Promise.race([new Promise((resolve) => this.waiting.push(resolve)), this.failed, lost]);
  }

  async close() {
    this.ws.close(1000);
    return this.closed;
  }
}

const dial = (path, options) => new Peer(path, options).open();

function expect(got, want, what) {
  const equal = Buffer.isBuffer(want) ? Buffer.isBuffer(got) && got.equals(want) : got === want;
  if (!equal) throw new Error(`${what}: got ${String(got).slice(0, 80)}, want ${String(want).slice(0, 80)}`);
}

async function echoes(messages, path = "/echo") {
  const peer = await dial(path);
  for (const message of messages) {
    peer.ws.send(message);
    expect(await peer.receive(), message, "echo");
  }
  await peer.close();
}

const checks = {
  "subprotocol": async () => {
    const peer = await dial("/echo");
    expect(peer.ws.protocol, "echo", "subprotocol");
    await peer.close();
  },
  "certificate refused without its authority": async () => {
    const refused = await dial("/echo", {}).then(() => "", (error) => error.code);
    if (!/SELF_SIGNED|UNABLE_TO/.test(refused)) throw new Error(`got ${refused || "a connection"}`);
  },
  "text with emoji": () => echoes(["hello", "grüße, 世界, 👋🏽‍🚀", "\0 \uffff \u{10ffff}"]),
  "empty messages": () => echoes(["", Buffer.alloc(0), ""]),
  "text and binary of 1 byte to 1 MiB": async () => {
    for (const size of sizes) await echoes([Buffer.alloc(size, 0xfe), "x".repeat(size)]);
  },
  "fragments sent": async () => {
    const peer = await dial("/echo");
    const text = ["Hello, ", "", "世", "界"];
    text.forEach((part, n) => peer.ws.send(part, { fin: n === text.length - 1 }));
    expect(await peer.receive(), text.join(""), "echo");
    const parts = Array.from({ length: 200 }, (_, n) => Buffer.alloc(1000, n));
    parts.forEach((part, n) => peer.ws.send(part, { fin: n === parts.length - 1 }));
    expect(await peer.receive(), Buffer.concat(parts), "echo");
    await peer.close();
  },
  "fragments received": () => echoes(["x".repeat(999), "世界".repeat(20000), Buffer.alloc(100001, 1)], "/stream"),
  "500 messages pipelined": async () => {
    const peer = await dial("/echo");
    const messages = Array.from({ length: pipelined }, (_, n) => `${n} ` + "x".repeat((n * 7) % 300));
    for (const message of messages) peer.ws.send(message);
    for (const message of messages) expect(await peer.receive(), message, "echo");
    await peer.close();
  },
  "ping sent": async () => {
    const peer = await dial("/echo");
    const pong = once(peer.ws, "pong");
    peer.ws.ping("payload");
    expect((await pong)[0].toString(), "payload", "pong");
    await peer.close();
  },
  "ping received": async () => {
    const peer = await dial("/ping");
    peer.ws.send("ping me");
    expect(await peer.receive(), "answered", "answer");
    await peer.close();
  },
  "closed by the client": async () => {
    const peer = await dial("/echo?id=closed-by-client");
    peer.ws.close(4001, "grüße");
    expect((await peer.closed).code, 4001, "close code");
  },
  "closed by the server": async () => {
    const peer = await dial("/close?id=closed-by-server&code=4002&reason=enough");
    peer.ws.send("close me");
    expect(JSON.stringify(await peer.closed), JSON.stringify({ code: 4002, reason: "enough" }), "close frame");
  },
  "message beyond the limit refused with 1009": async () => {
    const peer = await dial("/echo?id=too-big");
    peer.ws.send(Buffer.alloc((1 << 20) + 1));
    expect((await peer.closed).code, 1009, "close code");
  },
};

for (const [name, run] of Object.entries(checks)) {
  let error = "";
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error("not done after 60 s")), 60000); });
  try {
    await Promise.race([run(), late]);
  } catch (why) {
    error = String(why);
  }
  clearTimeout(timer);
  console.log(JSON.stringify({ check: name, error }));
}
console.log(JSON.stringify({ done: true }));
process.exit(0); // connections of failed checks may be open
