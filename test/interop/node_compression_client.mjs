// Checks what a WebSocket server compresses with ws, one line of JSON a connection.
//
// node_compression_client.mjs URL CAFILE PLANFILE

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import WebSocket from "ws";
import { run } from "./compression.mjs";

const [url, caFile, planFile] = process.argv.slice(2);
const ca = readFileSync(caFile);
const plan = JSON.parse(readFileSync(planFile));
const data = Object.fromEntries(plan.kinds.map((kind) => [kind, readFileSync(join(dirname(planFile), kind))]));
const responses = new WeakMap();

function open({ id, theirs }) {
  const ws = new WebSocket(`${url}/connection?id=${id}`, {
    ca,
    perMessageDeflate: {
      threshold: 0,
      serverNoContextTakeover: theirs.serverAlone || undefined,
      clientNoContextTakeover: theirs.clientAlone || undefined,
      serverMaxWindowBits: theirs.serverBits || undefined,
      // False is not to offer the parameter, undefined to offer it without a value.
      clientMaxWindowBits: theirs.clientBits === -1 ? false : theirs.clientBits || undefined,
    },
  });
  ws.on("upgrade", (response) => responses.set(ws, response.headers["sec-websocket-extensions"] ?? ""));
  return ws;
}

await run(plan, data, open, (ws) => responses.get(ws), (outcome) => console.log(JSON.stringify(outcome)));
