// Rooms are topics, with members and the last two hundred messages.
import { $, connect, list, me } from "/common.js";

let hub, topic;
const members = new Map();

function told(text) { add(null, text); }

function add(name, text, time) {
  const item = document.createElement("li");
  item.dir = "auto";
  if (name === null) item.className = "told";
  else {
    const who = document.createElement("b"), when = document.createElement("time");
    who.textContent = name;
    when.textContent = new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    when.dateTime = new Date(time).toISOString();
    item.append(when, who);
  }
  item.append(text);
  const atEnd = $("log").scrollHeight - $("log").scrollTop - $("log").clientHeight < 40;
  $("log").append(item);
  while ($("log").children.length > 500) $("log").firstChild.remove();
  if (atEnd) $("log").scrollTop = $("log").scrollHeight;
}

const nameOf = (m) => m.info?.name || "Guest";

function showMembers() { list($("members"), [...members.values()].sort()); }

function enter() {
  hub?.close();
  me.name = $("name").value.trim();
  const room = $("room").value.trim();
  history.replaceState(null, "", "#" + encodeURIComponent(room));
  topic = "chat/" + room;
  $("where").textContent = room;
  members.clear();
  $("log").replaceChildren();
  hub = connect();
  hub.subscribe(topic, {
    message: (data, m) => add(String(data?.name ?? "Guest"), String(data?.text ?? ""), m.time),
    subscribed: (recovered, there) => {
      if (!recovered && $("log").children.length > 0) told("Some messages were missed.");
      members.clear();
      members.set(me.id, `${me.name} (you)`);
      for (const m of there) if (m.id !== me.id) members.set(m.id, nameOf(m));
      showMembers();
      for (const e of $("say").elements) e.disabled = false;
      $("note").textContent = "";
    },
    join: (m) => { if (m.id !== me.id) { members.set(m.id, nameOf(m)); told(`${nameOf(m)} has come.`); showMembers(); } },
    leave: (m) => { if (m.id !== me.id) { members.delete(m.id); told(`${nameOf(m)} has gone.`); showMembers(); } },
    error: (e) => { $("note").textContent = e.message; },
  }, { since: {} });
  $("text").focus();
}

$("name").value = me.name;
// roomOf returns the room that the address names.
function roomOf(hash) {
  try { return decodeURIComponent(hash.slice(1)) || "garden"; } catch { return "garden"; }
}

$("room").value = roomOf(location.hash);
addEventListener("hashchange", () => { $("room").value = roomOf(location.hash); enter(); });
$("who").onsubmit = (e) => { e.preventDefault(); enter(); };
$("say").onsubmit = async (e) => {
  e.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  $("text").value = "";
  try {
    await hub.publish(topic, { text });
    $("note").textContent = "";
  } catch (e) {
    $("note").textContent = `Not sent: ${e.message}`;
    $("text").value ||= text;
  }
};
enter();
