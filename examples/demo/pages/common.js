// What all pages share: who the visitor is, connections, and a line about them.
import { PubSub } from "/pubsub.js";

export const $ = (id) => document.getElementById(id);

// A tab is a visitor: two tabs can talk to each other. (A tab that was duplicated is the same visitor.) Others see the hash of its secret.
const secret = (sessionStorage.secret ??= crypto.randomUUID());
const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret)));
export const me = {
  id: [...hash.subarray(0, 8)].map((b) => b.toString(16).padStart(2, "0")).join(""),
  get name() { return sessionStorage.name || (sessionStorage.name = "Guest " + this.id.slice(0, 4)); },
  set name(name) { sessionStorage.name = name; },
};

// connect returns a connection for topics that all nodes share, or with "/feeds" for this node's own.
export function connect(path = "/topics") {
  const servers = document.body.dataset.servers.split(" ");
  const who = new URLSearchParams({ secret, name: me.name });
  const hub = new PubSub((path === "/topics" ? servers : servers.slice(0, 1)).map((s) => `${s}${path}?${who}`));
  hub.onstate = (state) => show(hub, state);
  show(hub, hub.state);
  return hub;
}

function show(hub, state) {
  const node = new URL(hub.url).host;
  $("state").dataset.state = state;
  $("state").textContent = { open: `connected to ${node}`, connecting: `connecting to ${node} …`, waiting: "connection lost; trying again …", closed: "" }[state];
}

export function list(parent, items) {
  parent.replaceChildren(...items.map((text) => {
    const item = document.createElement("li");
    item.dir = "auto";
    item.textContent = text;
    return item;
  }));
}

// colors are those of the page's scheme, for canvases.
export function colors() {
  const probe = document.createElement("span");
  document.body.append(probe);
  const of = (name) => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color; };
  const all = { text: of("--text"), faint: of("--faint"), line: of("--line"), accent: of("--accent"), good: of("--good"), bad: of("--bad"), star: of("--star") };
  probe.remove();
  return all;
}

// fill writes rows into the body of a table. It keeps the cells, so that a screen reader that is in the table keeps its place.
export function fill(body, rows) {
  while (body.rows.length > rows.length) body.lastElementChild.remove();
  rows.forEach((cells, i) => {
    const row = body.rows[i] ?? body.insertRow();
    cells.forEach((text, j) => {
      let cell = row.cells[j];
      if (!cell) {
        cell = row.appendChild(document.createElement(j ? "td" : "th"));
        if (j) cell.className = typeof text === "number" || /^[\d–]/.test(text) ? "number" : "";
        else cell.scope = "row";
      }
      if (cell.textContent !== String(text)) cell.textContent = text;
    });
  });
}

// plot draws series of numbers, the newest at the right, and says in words what the newest are. A series may be dashed, so that colour is
// not all that tells it from another.
export function plot(canvas, series, unit, most = 120) {
  const c = canvas.getContext("2d"), color = colors(), { width, height } = canvas;
  const top = Math.max(1, ...series.flatMap((s) => s.values));
  c.clearRect(0, 0, width, height);
  c.font = "12px system-ui, sans-serif";
  c.fillStyle = color.faint;
  c.fillText(number(top), 4, 12);
  for (const s of series) {
    c.strokeStyle = color[s.color];
    c.lineWidth = 2;
    c.setLineDash(s.dashed ? [6, 4] : []);
    c.beginPath();
    s.values.forEach((v, i) => {
      const x = width - (s.values.length - 1 - i) * width / (most - 1), y = height - 4 - v / top * (height - 24);
      i ? c.lineTo(x, y) : c.moveTo(x, y);
    });
    c.stroke();
  }
  c.setLineDash([]);
  canvas.setAttribute("aria-label", series.map((s) => `${s.name}: ${number(s.values.at(-1) ?? 0)} ${unit}`).join(", "));
}

// number shortens one: 12.3 k.
export function number(n) {
  for (const [size, sign] of [[1e9, " G"], [1e6, " M"], [1e3, " k"]]) if (n >= size) return (n / size).toFixed(1) + sign;
  return Number.isInteger(n) ? String(n) : n.toFixed(1);
}
