// compression.mjs makes the connections of a plan, in Node and in a browser.

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// cut returns a message of the plan: a string or bytes.
function cut(data, { kind, text, start, end }) {
  const bytes = data[kind].subarray(start, end);
  return text ? decoder.decode(bytes) : bytes;
}

// compare throws unless what came back is what was sent.
function compare(got, want) {
  if (typeof want === "string") {
    if (got !== want) throw new Error(`got ${String(got).slice(0, 80)}, want ${want.slice(0, 80)}`);
    return;
  }
  if (!(got instanceof ArrayBuffer) || got.byteLength !== want.length) {
    throw new Error(`got ${got.byteLength ?? got.length} bytes or characters, want ${want.length} bytes`);
  }
  const bytes = new Uint8Array(got);
  const at = bytes.findIndex((byte, n) => byte !== want[n]);
  if (at >= 0) throw new Error(`${want.length} bytes differ at ${at}`);
}

// exchange sends messages without waiting, and compares each with what comes back.
function exchange(ws, messages) {
  return new Promise((resolve, reject) => {
    if (messages.length === 0) return resolve();
    let received = 0;
    const receive = (event) => {
      try {
        compare(event.data, messages[received]);
      } catch (why) {
        reject(new Error(`echo ${received}: ${why.message}`));
        return;
      }
      received++;
      if (received === messages.length) {
        ws.removeEventListener("message", receive);
        resolve();
      }
    };
    ws.addEventListener("message", receive);
    for (const message of messages) ws.send(message);
  });
}

// connection sends a set of messages and gets them back.
async function connection(ws, set, outcome) {
  ws.binaryType = "arraybuffer";
  let lose;
  const lost = new Promise((_, reject) => { lose = reject; });
  lost.catch(() => {}); // whoever waits will see it
  ws.addEventListener("error", (event) => lose(event.error ?? new Error("the connection failed")));
  ws.addEventListener("close", (event) => lose(new Error(`closed with ${event.code} ${event.reason}`)));
  const timer = setTimeout(() => lose(new Error("not done after 60 s")), 60000);
  try {
    const opened = new Promise((resolve) => ws.addEventListener("open", resolve, { once: true }));
    await Promise.race([opened, lost]);
    for (const message of set.messages) {
      await Promise.race([exchange(ws, [message]), lost]);
      outcome.messages++;
    }
    await Promise.race([exchange(ws, set.burst), lost]);
    outcome.messages += set.burst.length;
    const closed = new Promise((resolve) => ws.addEventListener("close", resolve, { once: true }));
    ws.close(1000);
    const { code } = await closed;
    if (code !== 1000) throw new Error(`closed with ${code}`);
  } finally {
    clearTimeout(timer);
    ws.close();
  }
}

// run makes all connections, a few at once. Open returns a socket for a link,
// extensions the header field of its response, and report is called for each.
export async function run(plan, data, open, extensions, report) {
  const sets = plan.sets.map(({ messages, burst }) => ({
    messages: messages.map((message) => cut(data, message)),
    burst: burst.map((message) => cut(data, message)),
  }));
  const links = plan.links.values();
  const work = async () => {
    for (const link of links) {
      const outcome = { connection: link.id, extensions: "", messages: 0, error: "" };
      try {
        const ws = open(link);
        await connection(ws, sets[link.set], outcome);
        outcome.extensions = extensions(ws);
      } catch (why) {
        outcome.error = String(why);
      }
      report(outcome);
    }
  };
  await Promise.all(Array.from({ length: plan.abreast }, work));
}
