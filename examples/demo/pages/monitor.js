// The server publishes a sample each second, and keeps the last two minutes for who comes later.
import { $, colors, connect, number, plot } from "/common.js";

const samples = [];
const meanings = {
  1000: "normal closure", 1001: "going away", 1002: "protocol error", 1003: "unsupported data", 1005: "no code", 1006: "without a closing handshake", 1007: "invalid data",
  1008: "policy violation", 1009: "message too big", 1011: "internal error", 1012: "service restart", 1013: "try again later",
};

function take(s) {
  samples.push(s);
  while (samples.length > 120) samples.shift();
  $("node").textContent = s.node;
  $("nodes").textContent = s.nodes;
  $("connections").textContent = number(s.connections);
  $("messages").textContent = number(Math.round(s.in + s.out));
  $("bytes").textContent = number(Math.round(s.bytesIn + s.bytesOut));
  $("opened").textContent = number(s.opened);
  const line = (field, name, color) => ({ name, color, values: samples.map((x) => x[field]) });
  plot($("plot-connections"), [line("connections", "connections", "accent")], "");
  plot($("plot-messages"), [line("out", "sent", "accent"), line("in", "received", "good")], "a second");
  plot($("plot-bytes"), [line("bytesOut", "sent", "accent"), line("bytesIn", "received", "good")], "bytes a second");
  histogram($("plot-trips"), s);
  showCodes(s.codes);
}

function histogram(canvas, s) {
  const c = canvas.getContext("2d"), color = colors(), { width, height } = canvas;
  const labels = [...s.bounds.map((b) => `≤${b}`), "more"], top = Math.max(1, ...s.roundTrips), step = width / labels.length;
  c.clearRect(0, 0, width, height);
  c.font = "10px system-ui, sans-serif";
  c.textAlign = "center";
  s.roundTrips.forEach((n, i) => {
    const tall = n / top * (height - 34);
    c.fillStyle = color.accent;
    c.fillRect(i * step + 2, height - 16 - tall, step - 4, tall);
    c.fillStyle = color.faint;
    c.fillText(labels[i], i * step + step / 2, height - 4);
    if (n) c.fillText(number(n), i * step + step / 2, height - 20 - tall);
  });
  canvas.setAttribute("aria-label", "Round trips: " + s.roundTrips.map((n, i) => `${labels[i]} ms: ${n}`).filter((_, i) => s.roundTrips[i]).join(", "));
}

function showCodes(codes) {
  $("codes").replaceChildren(...Object.entries(codes).map(([code, n]) => {
    const row = document.createElement("tr");
    for (const text of [code, meanings[code] ?? "", n]) row.appendChild(document.createElement("td")).textContent = text;
    row.lastChild.className = "number";
    return row;
  }));
}

connect("/feeds").subscribe("monitor", { message: take }, { since: {} });
