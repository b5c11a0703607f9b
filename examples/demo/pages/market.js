// Each symbol has a key, so of each only its newest price waits while this page does not read.
import { $, connect } from "/common.js";

const rows = new Map();
let count = 0, skipped = 0, newest = 0, ages = [], slow = false;

function row(symbol) {
  let r = rows.get(symbol);
  if (!r) {
    const line = document.createElement("tr");
    const [name, price, change] = ["th", "td", "td"].map((tag) => line.appendChild(document.createElement(tag)));
    name.scope = "row";
    name.textContent = symbol;
    price.className = "number";
    const next = [...$("prices").children].find((other) => other.firstChild.textContent > symbol);
    $("prices").insertBefore(line, next ?? null);
    r = { price, change, was: 0, number: 0 };
    rows.set(symbol, r);
  }
  return r;
}

function take(t) {
  const r = row(t.symbol);
  if (r.number && t.number > r.number + 1) skipped += t.number - r.number - 1;
  Object.assign(r, { number: t.number, now: t.price });
  count++;
  newest = t.at;
  ages.push([performance.now(), Date.now() - t.at]);
}

setInterval(() => {
  for (const r of rows.values()) {
    if (r.now === undefined || r.now === r.was) continue;
    r.price.textContent = r.now.toFixed(2);
    r.change.textContent = r.now > r.was ? "▲ up" : "▼ down";
    r.change.className = r.now > r.was ? "up" : "down";
    r.was = r.now;
  }
}, 200);

let at = performance.now();
setInterval(() => {
  const now = performance.now();
  ages = ages.filter(([when]) => now - when < 10_000);
  $("rate").textContent = Math.round(count / (now - at) * 1000);
  $("age").textContent = newest ? `${ages.at(-1)?.[1] ?? "more than 10,000"} ms` : "–";
  $("worst").textContent = ages.length ? `${Math.max(...ages.map(([, age]) => age))} ms` : "–";
  $("skipped").textContent = skipped;
  count = 0;
  at = now;
}, 1000);

// A page that is busy with something else most of the time: it reads for half a second in every two.
function stall() {
  if (!slow) return;
  for (const end = performance.now() + 1500; performance.now() < end;) {}
  setTimeout(stall, 500);
}

$("slow").onclick = () => {
  slow = !slow;
  setTimeout(stall, 100);
  $("slow").setAttribute("aria-pressed", slow);
};

connect("/feeds").subscribe("market", { message: take }, { slow: "newest" });
