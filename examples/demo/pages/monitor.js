// The server publishes a sample each second, and keeps the last two minutes for who comes later.
import { $, colors, connect, fill, number, plot } from "/common.js";

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
  $("http2").textContent = number(s.http2);
  $("messages").textContent = number(Math.round(s.in + s.out));
  $("bytes").textContent = number(Math.round(s.bytesIn + s.bytesOut));
  $("opened").textContent = number(s.opened);
  const line = (field, name, color, dashed = false) => ({ name, color, dashed, values: samples.map((x) => x[field]) });
  const connections = [line("connections", "connections", "accent")];
  const messages = [line("out", "sent", "accent"), line("in", "received", "good", true)];
  const bytes = [line("bytesOut", "sent", "accent"), line("bytesIn", "received", "good", true)];
  plot($("plot-connections"), connections, "");
  plot($("plot-messages"), messages, "a second");
  plot($("plot-bytes"), bytes, "bytes a second");
  const row = (name, { values }) => [name, ...[values.at(-1), Math.min(...values), Math.max(...values)].map((n) => number(Math.round(n)))];
  fill($("table-series"), [
    row("Connections", connections[0]), row("Messages sent a second", messages[0]), row("Messages received a second", messages[1]),
    row("Bytes sent a second", bytes[0]), row("Bytes received a second", bytes[1]),
  ]);
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
  fill($("table-trips"), s.roundTrips.map((n, i) => [i < s.bounds.length ? `at most ${s.bounds[i]}` : "more", n]));
}

function showCodes(codes) {
  fill($("codes"), Object.entries(codes).map(([code, n]) => [code, meanings[code] ?? "", n]));
}

connect("/feeds").subscribe("monitor", { message: take }, { since: {} });
