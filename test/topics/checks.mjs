// The checks of pubsub/client/pubsub.ts, in a page and in Node: run(base, PubSub) tells the server at base of each.

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// until waits for a condition.
async function until(what, condition) {
  for (let i = 0; !condition(); i++) {
    if (i > 2000) throw new Error(`not within 20 s: ${what}`);
    await later(10);
  }
}

function same(what, got, want) {
  if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`${what}: ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
}

export async function run(base, PubSub) {
  const post = (path, body = "") => fetch(base + path, { method: "POST", body });
  const open = [];
  const connect = (user) => {
    const hub = new PubSub(`${base.replace(/^http/, "ws")}/topics?user=${user}`);
    hub.states = [];
    hub.onstate = (s) => hub.states.push(s);
    open.push(hub);
    return hub;
  };
  // subscribe collects what comes of a topic, and waits until it begins.
  const subscribe = async (hub, topic, options) => {
    const got = { data: [], offsets: [], begun: [], joined: [], left: [], members: [] };
    hub.subscribe(topic, {
      message: (data, m) => { got.data.push(data); got.offsets.push(m.offset); },
      subscribed: (recovered, members) => { got.begun.push(recovered); got.members = members.map((m) => m.id); },
      join: (m) => got.joined.push(m.id),
      leave: (m) => got.left.push(m.id),
      error: (e) => { got.refused = e.code; },
    }, options);
    await until(`${topic} begins`, () => got.begun.length > 0 || got.refused);
    return got;
  };
  const refusal = async (promise) => { try { await promise; return "done"; } catch (e) { return e.code ?? String(e); } };

  const checks = {
    "what is published comes, with its data": async () => {
      const a = connect("ann"), b = connect("bob");
      const forA = await subscribe(a, "data"), forB = await subscribe(b, "data");
      const values = ["text: grüße 🌹 <b> \u2028", 7.5, null, true, [1, [2]], { deep: { er: "x" } }];
      for (const v of values) await a.publish("data", v);
      const at = await a.publish("data", "not to me", { echo: false });
      same("the position", at.offset, values.length + 1);
      await until("all has come", () => forB.data.length === values.length + 1);
      same("at the other", forB.data, [...values, "not to me"]);
      same("at the sender", forA.data, values);
    },
    "refusals have codes": async () => {
      const c = connect("cleo");
      same("a topic that is closed", (await subscribe(c, "closed")).refused, "forbidden");
      same("publishing there", await refusal(c.publish("closed", 1)), "forbidden");
      same("a name that is none", await refusal(c.publish("", 1)), "bad_topic");
      same("the connection goes on", await refusal(c.presence("data")), "done");
    },
    "members join and leave": async () => {
      const a = connect("ann"), b = connect("bob"), b2 = connect("bob");
      const forA = await subscribe(a, "room");
      const forB = await subscribe(b, "room");
      await subscribe(b2, "room");
      same("who was there", forB.members, ["ann"]);
      same("who is there", (await a.presence("room")).map((m) => [m.id, m.info.name]), [["ann", "ANN"], ["bob", "BOB"]]);
      b.close();
      b2.unsubscribe("room");
      await until("bob leaves", () => forA.left.length > 0);
      same("joined, left", [forA.joined, forA.left], [["bob"], ["bob"]]);
    },
    "history is there": async () => {
      const a = connect("ann");
      await until("open", () => a.state === "open");
      for (let i = 1; i <= 5; i++) await a.publish("history", i);
      const h = await a.history("history", undefined, 3);
      same("the oldest three", h.messages.map((m) => m.data), [1, 2, 3]);
      same("from the beginning", (await subscribe(a, "history", { since: {} })).begun, [true]);
    },
    "a client that is cut off misses nothing, and gets nothing twice": async () => {
      const c = connect("dan");
      const got = await subscribe(c, "feed");
      const sent = post("/publish?topic=feed&count=400&every=10ms");
      for (let i = 1; i <= 3; i++) {
        await until("it goes on", () => got.begun.length === i && got.data.length > 20 * i);
        await post("/cut?user=dan");
        await until("it is lost", () => c.states.filter((s) => s === "waiting").length === i);
      }
      await sent;
      await until("all has come", () => got.data.length >= 400);
      await later(300);
      same("the offsets", got.offsets, Array.from({ length: 400 }, (_, i) => i + 1));
      same("each time all was recovered", got.begun, [true, true, true, true]);
    },
    "a client that missed too much is told": async () => {
      const c = connect("eve");
      const got = await subscribe(c, "short");
      await post("/publish?topic=short&count=1");
      await until("one has come", () => got.data.length === 1);
      await post("/down"); // connections are cut, and new ones refused
      await post("/publish?topic=short&count=50");
      await post("/up");
      await until("it is back", () => got.begun.length === 2);
      same("it is told", got.begun[1], false);
      await post("/publish?topic=short&count=1");
      await until("what is new comes", () => got.data.length === 2);
      same("the offsets", got.offsets, [1, 52]);
    },
    "a request without an answer fails, and a client that is closed stays so": async () => {
      const c = connect("fay");
      await until("open", () => c.state === "open");
      const asked = refusal(c.presence("data"));
      c.close();
      same("what was asked", await asked, "disconnected");
      same("what is asked now", await refusal(c.presence("data")), "disconnected");
      await later(1500);
      same("its state", c.state, "closed");
    },
  };
  Object.assign(checks, {
    "requests wait for the connection": async () => {
      const c = connect("gil");
      const got = [];
      c.subscribe("early", { message: (data) => got.push(data) });
      same("published", typeof (await c.publish("early", 1)).offset, "number");
      await until("it comes", () => got.length === 1);
    },
    "subscriptions in callbacks, and again on the same connection": async () => {
      const c = connect("hal"), other = connect("ida");
      const got = { first: [], second: [], errors: [], begun: 0 };
      c.onstate = (s) => {
        if (s === "open") c.subscribe("twice", { message: (d) => got.first.push(d), error: (e) => got.errors.push(e.code), subscribed: () => got.begun++ });
      };
      await until("it begins", () => got.begun === 1);
      for (let i = 1; i <= 20; i++) await other.publish("twice", i);
      await until("all has come", () => got.first.length === 20);
      const sending = Promise.all([21, 22, 23].map((i) => other.publish("twice", i)));
      c.unsubscribe("twice");
      let begun = false;
      c.subscribe("twice", { message: (d) => got.second.push(begun ? d : "before it has begun"), subscribed: () => { begun = true; } }, { since: {} });
      await sending;
      await until("all has come again", () => got.second.length === 23);
      await later(200);
      same("the second time", got.second, Array.from({ length: 23 }, (_, i) => i + 1));
      same("errors", got.errors, []);
    },
    "a server that does not answer is left for another": async () => {
      const ws = base.replace(/^http/, "ws");
      const c = new PubSub([`${ws}/hangs`, `${ws}/topics?user=jim`]);
      open.push(c);
      c.silence = c.patience = 300;
      let begun = 0;
      c.subscribe("data", { subscribed: () => begun++ });
      await until("it is subscribed at the other", () => begun > 0 && c.url.includes("/topics"));
    },
    "too many requests are made later": async () => {
      const c = connect("kim");
      let begun = 0, refused = 0;
      for (let i = 0; i < 120; i++) c.subscribe(`many/${i}`, { subscribed: () => begun++, error: () => refused++ });
      for (let i = 0; i < 120; i++) c.presence("data").catch(() => {});
      await until("all have begun", () => begun === 120);
      same("refused", refused, 0);
    },
  });
  for (const [name, check] of Object.entries(checks)) {
    let failed = "";
    try { await check(); } catch (e) { failed = String(e.message ?? e); }
    while (open.length) open.pop().close();
    await post("/result", JSON.stringify({ name, failed }));
  }
  await post("/done");
}
