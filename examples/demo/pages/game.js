// Positions go out thirty times a second under the player's key: whoever is slow gets the newest. The star belongs to nobody: where it is
// follows from how often it was caught, so all see it at the same place.
import { $, colors, connect, list, me, plot } from "/common.js";

const field = $("field"), c = field.getContext("2d");
const players = new Map();
const self = { x: Math.random(), y: Math.random(), score: 0, name: me.name, color: hue(me.id) };
const keys = new Set();
let target = null, round = 0, trips = [];

function hue(id) { return `hsl(${parseInt(id.slice(0, 6), 16) % 360} 70% 50%)`; }

function star() {
  const random = (n) => { const x = Math.sin(n * 127.1 + 11.7) * 43758.5453; return x - Math.floor(x); };
  return { x: 0.1 + 0.8 * random(round), y: 0.1 + 0.8 * random(round + 0.5) };
}

// away says where a point is from this player, in hundredths of the field.
function away(p) {
  const dx = Math.round((p.x - self.x) * 100), dy = Math.round((p.y - self.y) * 100);
  const parts = [dx && `${Math.abs(dx)} ${dx > 0 ? "right" : "left"}`, dy && `${Math.abs(dy)} ${dy > 0 ? "down" : "up"}`].filter(Boolean);
  return parts.join(", ") || "here";
}

function starFromHere() { return `Star: ${away(star())}.`; }

// tell has screen readers say something, also if it is what they have said last.
function tell(text) {
  $("told").textContent = "";
  setTimeout(() => { $("told").textContent = text; }, 50);
}

// tellCatch tells who has caught the star, and where it is now.
let caught = { text: "", at: -Infinity };
function tellCatch(text) {
  caught = { text, at: performance.now() };
  tellStar();
}

// tellStar tells where the star is, and who has just caught it.
function tellStar() {
  tell(performance.now() - caught.at < 2000 ? `${caught.text} ${starFromHere()}` : starFromHere());
}

// tellAll tells where everything is, the nearest players first.
function tellAll() {
  const distance = (p) => Math.hypot(p.x - self.x, p.y - self.y);
  const others = [...players.values()].sort((a, b) => distance(a) - distance(b));
  const near = others.slice(0, 5).map((p) => `${p.name}: ${away(p)}.`);
  const more = others.length > 5 ? [`And ${others.length - 5} more.`] : others.length ? [] : ["Nobody else is here."];
  tell([`You are at ${Math.round(self.x * 100)} across, ${Math.round(self.y * 100)} down.`, starFromHere(), ...near, ...more].join(" "));
}

const hub = connect();
hub.subscribe("game", {
  message: (data, m) => {
    if (typeof data?.id !== "string") return;
    if (data.id === me.id) trips.push([performance.now(), performance.now() - data.sent]);
    else players.set(data.id, { ...data, color: hue(data.id), seen: performance.now() });
    if (data.round > round) {
      round = data.round;
      if (data.id !== me.id) tellCatch(`${data.name} has caught the star.`);
    }
  },
  leave: (m) => { players.delete(m.id); showPlayers(); },
  join: showPlayers,
}, { slow: "newest" });

function move(seconds) {
  const held = (...names) => names.some((n) => keys.has(n));
  let dx = held("ArrowRight", "d") - held("ArrowLeft", "a"), dy = held("ArrowDown", "s") - held("ArrowUp", "w");
  if (target) {
    dx = target.x - self.x;
    dy = target.y - self.y;
  }
  const length = Math.hypot(dx, dy);
  if (target && length < 0.01) target = null;
  else if (length > 0) {
    const step = Math.min(0.6 * seconds, target ? length : 1) / length;
    self.x = Math.min(1, Math.max(0, self.x + dx * step));
    self.y = Math.min(1, Math.max(0, self.y + dy * step));
  }
  const s = star();
  if (Math.hypot(self.x - s.x, (self.y - s.y) * field.height / field.width) < 0.03) {
    round++;
    self.score++;
    tellCatch(`You have caught the star: ${self.score}.`);
  }
}

// advance moves the player by the time since it was called last. It is called when keys change too, so that a short press counts exactly.
let last = performance.now();
function advance() {
  const now = performance.now();
  move((now - last) / 1000);
  last = now;
  return now;
}

setInterval(() => {
  const now = advance();
  if (hub.state === "open") {
    hub.publish("game", { x: self.x, y: self.y, score: self.score, round, sent: now }).catch(() => {});
  }
}, 1000 / 30);

function draw() {
  const color = colors();
  c.clearRect(0, 0, field.width, field.height);
  const s = star();
  c.font = "28px system-ui, sans-serif";
  c.textAlign = "center";
  c.textBaseline = "middle";
  c.fillStyle = color.star;
  c.fillText("★", s.x * field.width, s.y * field.height);
  for (const p of [...players.values(), self]) {
    c.fillStyle = p.color;
    c.beginPath();
    c.arc(p.x * field.width, p.y * field.height, 14, 0, 2 * Math.PI);
    c.fill();
    c.strokeStyle = color.text;
    c.lineWidth = p === self ? 3 : 1;
    c.stroke();
    c.fillStyle = color.text;
    c.font = "14px system-ui, sans-serif";
    const name = p === self ? `${p.name} (you)` : p.name, half = c.measureText(name).width / 2 + 4;
    const x = Math.max(half, Math.min(field.width - half, p.x * field.width)), y = p.y * field.height;
    c.fillText(name, x, y < 36 ? y + 24 : y - 24); // within the field
  }
  requestAnimationFrame(draw);
}

function showPlayers() {
  const now = performance.now();
  for (const [id, p] of players) if (now - p.seen > 5000) players.delete(id);
  const all = [{ ...self, name: `${self.name} (you)` }, ...players.values()].sort((a, b) => b.score - a.score);
  const text = all.map((p) => `${p.name}: ${p.score}`);
  if (JSON.stringify(text) !== $("players").dataset.shown) { // a screen reader says only what has changed
    $("players").dataset.shown = JSON.stringify(text);
    list($("players"), text);
  }
}

setInterval(() => {
  showPlayers();
  const now = performance.now();
  trips = trips.filter(([at]) => now - at < 10_000);
  const sorted = trips.map(([, ms]) => ms).sort((a, b) => a - b);
  const ms = (v) => v === undefined ? "–" : `${v.toFixed(1)} ms`;
  $("now").textContent = ms(trips.at(-1)?.[1]);
  $("p50").textContent = ms(sorted[Math.floor(sorted.length / 2)]);
  $("p99").textContent = ms(sorted[Math.floor(sorted.length * 0.99)]);
  plot($("latency"), [{ name: "latency", color: "accent", values: trips.map(([, v]) => v) }], "ms", 300);
}, 500);

const moving = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "a", "d", "w", "s"]);
const nameOf = (e) => e.key.length === 1 ? e.key.toLowerCase() : e.key;
addEventListener("keydown", (e) => {
  if (document.activeElement !== field && document.activeElement !== document.body || e.ctrlKey || e.altKey || e.metaKey) return;
  const key = nameOf(e);
  if (key === "l" && !e.repeat) tellAll();
  if (!moving.has(key)) return;
  if (key.startsWith("Arrow")) e.preventDefault();
  advance();
  keys.add(key);
  target = null;
});
addEventListener("keyup", (e) => {
  advance();
  if (keys.delete(nameOf(e)) && keys.size === 0) tellStar();
});
$("tell").onclick = tellAll;
addEventListener("blur", () => keys.clear());
const point = (e) => {
  const box = field.getBoundingClientRect();
  target = { x: (e.clientX - box.left) / box.width, y: (e.clientY - box.top) / box.height };
};
field.addEventListener("pointerdown", (e) => { field.setPointerCapture(e.pointerId); field.focus(); point(e); });
field.addEventListener("pointermove", (e) => { if (e.buttons) point(e); });
draw();

// For those who drive this page from outside.
window.demo = { self, star, get players() { return [...players.values()]; } };
