// What is sent comes back. The state of the connection is shown in the navigation, as on the other pages.
import { $ } from "/common.js";

const url = "wss://" + location.host + "/echo";
const controls = ["close", "text", "send", "size", "binary"];
let socket = null;
let waiting = []; // what was sent and has not come back, oldest first
let echoed = 0;

function note(kind, text) {
  const item = document.createElement("li");
  item.className = kind;
  item.textContent = text;
  $("log").prepend(item);
  while ($("log").children.length > 200) $("log").lastChild.remove();
}

function show(state, text) {
  $("state").dataset.state = state;
  $("state").textContent = text;
  $("connect").disabled = state !== "closed";
  for (const id of controls) $(id).disabled = state !== "open";
}

function connect() {
  waiting = [];
  show("connecting", "connecting …");
  socket = new WebSocket(url, ["echo"]);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    $("subprotocol").textContent = socket.protocol || "none";
    show("open", "open");
    note("info", "open");
  };
  socket.onmessage = (event) => receive(event.data);
  // Why a connection failed is told to nobody but the console; onclose follows.
  socket.onerror = () => note("fault", "the connection failed");
  socket.onclose = (event) => {
    const text = `closed: code=${event.code} wasClean=${event.wasClean} reason=${JSON.stringify(event.reason)}`;
    $("state").dataset.clean = event.wasClean;
    show("closed", text);
    note("info", text);
  };
}

function send(data, label) {
  waiting.push({ data, label, at: performance.now() });
  note("sent", `→ ${label}`);
  socket.send(data);
}

// Echoes come in the order of what was sent, so each belongs to the oldest.
function receive(data) {
  const sent = waiting.shift();
  if (!sent || !same(sent.data, data)) {
    note("fault", "← not what was sent");
    return;
  }
  const rtt = performance.now() - sent.at;
  $("rtt").textContent = rtt.toFixed(2) + " ms";
  $("echoed").textContent = ++echoed;
  note("echo", `← ${sent.label}, ${rtt.toFixed(2)} ms`);
}

function same(a, b) {
  if (typeof a === "string" || typeof b === "string") return a === b;
  const left = new Uint8Array(a), right = new Uint8Array(b);
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}

function randomBytes(size) {
  const bytes = new Uint8Array(size);
  const most = 65536; // that getRandomValues fills at once
  for (let at = 0; at < size; at += most) crypto.getRandomValues(bytes.subarray(at, at + most));
  return bytes.buffer;
}

$("url").textContent = url;
$("connect").onclick = connect;
$("close").onclick = () => {
  show("closing", "closing …");
  socket.close(1000, "closed on the page");
};
$("form").onsubmit = (event) => {
  event.preventDefault();
  send($("text").value, JSON.stringify($("text").value));
};
$("binary").onclick = () => {
  const size = Number($("size").value);
  send(randomBytes(size), `${size} random bytes`);
};
connect();
