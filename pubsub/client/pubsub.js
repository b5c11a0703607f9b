// A client of package pubsub's JSON protocol (docs/pubsub.md), for browsers and Node 22 or later. It has no dependencies.
//
//   const hub = new PubSub("wss://example.com/topics");
//   hub.subscribe("news", { message: (data, m) => show(data) });
//   await hub.publish("news", { text: "hello" });
//
// It connects by itself, comes back after a random wait when the connection is lost, and asks for what it has missed. With several URLs, of
// servers that share their topics, it goes from one to the next.
/** A refusal of the server's, or, with the code disconnected, a request that the end of a connection has left without an answer. */
export class PubSubError extends Error {
    code;
    constructor(code, message) { super(message); this.code = code; }
}
const passing = ["unavailable", "too_fast"]; // refusals that another try cures
export class PubSub {
    /** Called whenever the state changes. */
    onstate;
    state = "connecting";
    /** After so many milliseconds without a message the connection is tried: nothing tells a page that its peer is gone. */
    silence = 25_000;
    /** So many milliseconds are waited for an answer, and for a connection. */
    patience = 15_000;
    /** The URL that it is connected to, or tries. */
    url = "";
    urls;
    socket;
    topics = new Map();
    waiting = new Map(); // requests, those that wait for a connection too
    lastID = 0;
    tries = 0;
    failures = 0; // since the last connection that was good for something
    timer; // to connect, or to try the connection
    constructor(url) {
        this.urls = typeof url === "string" ? [url] : [...url].sort(() => Math.random() - 0.5);
        this.connect();
    }
    /** Receives what is published to a topic. A topic has one subscription: another call replaces the handlers. */
    subscribe(topic, handlers, options = {}) {
        const known = this.topics.get(topic);
        if (known) {
            known.handlers = handlers;
            return;
        }
        const t = { handlers, options };
        this.topics.set(topic, t);
        if (this.state === "open")
            this.begin(topic, t);
    }
    /** Ends a subscription. */
    unsubscribe(topic) {
        if (this.topics.delete(topic) && this.state === "open")
            this.send({ type: "unsubscribe", topic });
    }
    /** Publishes data, and returns the message's position when the server has it. echo: false leaves this client out. */
    publish(topic, data, options = {}) {
        return this.ask({ type: "publish", topic, data, ...options });
    }
    /** Who has subscribed to a topic. */
    async presence(topic) {
        return (await this.ask({ type: "presence", topic })).members ?? [];
    }
    /** The messages of a topic that its history has, behind a position. */
    async history(topic, since, limit) {
        const reply = await this.ask({ type: "history", topic, since, limit });
        return { messages: [], ...reply };
    }
    /** Ends the connection for good. */
    close() {
        this.become("closed");
        clearTimeout(this.timer);
        this.socket?.close(1000);
        this.forget();
    }
    become(state) {
        if (this.state === "closed")
            return;
        this.state = state;
        this.onstate?.(state);
    }
    connect() {
        this.url = this.urls[this.tries++ % this.urls.length];
        this.become("connecting");
        const socket = new WebSocket(this.url, "pubsub.v1");
        const current = () => this.socket === socket && this.state !== "closed";
        this.socket = socket;
        this.timer = setTimeout(() => { if (current())
            this.lost(1006); }, this.patience);
        socket.onopen = () => {
            if (!current())
                return;
            this.heard();
            const queued = [...this.waiting];
            this.state = "open";
            for (const [topic, t] of this.topics)
                this.begin(topic, t);
            for (const [id, w] of queued)
                this.send({ ...w.request, id }); // behind subscriptions, so that these get what is published
            this.onstate?.("open");
        };
        socket.onmessage = (e) => { if (current())
            this.receive(JSON.parse(e.data)); };
        socket.onclose = (e) => { if (current())
            this.lost(e.code); };
    }
    // A message has come. If no other does, the connection is tried.
    heard() {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => {
            this.timer = setTimeout(() => this.lost(1006), this.patience);
            this.ask({ type: "ping" }).catch(() => { });
        }, this.silence);
    }
    // After 1008 the server does not want this client: it comes back all the same, but not soon.
    lost(code) {
        clearTimeout(this.timer);
        const socket = this.socket;
        this.socket = undefined;
        socket.close();
        const sent = this.state === "open";
        for (const t of this.topics.values())
            t.asked = t.begun = undefined;
        this.become("waiting");
        if (sent)
            this.forget();
        if (this.state === "closed")
            return;
        const most = code === 1008 ? 60_000 : Math.min(30_000, 500 * 2 ** this.failures++);
        this.timer = setTimeout(() => this.connect(), Math.random() * most + (code === 1008 ? 10_000 : 0));
    }
    // Ends requests without an answer.
    forget() {
        for (const id of [...this.waiting.keys()]) {
            this.settle(id)?.reject(new PubSubError("disconnected", "the connection has ended; it is not known whether the server has done it"));
        }
    }
    settle(id) {
        const w = this.waiting.get(id);
        if (w)
            clearTimeout(w.timer);
        this.waiting.delete(id);
        return w;
    }
    begin(topic, t) {
        const since = t.at ?? t.options.since;
        const answer = this.ask({ type: "subscribe", topic, since, slow: t.options.slow });
        t.asked = this.lastID;
        answer.catch((e) => {
            if (e.code === "disconnected" || this.topics.get(topic) !== t)
                return; // it is tried again
            if (passing.includes(e.code)) {
                const socket = this.socket;
                setTimeout(() => { if (this.socket === socket && this.state === "open" && this.topics.get(topic) === t)
                    this.begin(topic, t); }, 1000 + Math.random() * 4000);
                return;
            }
            this.topics.delete(topic);
            t.handlers.error?.(e);
        });
    }
    // A request is sent when there is a connection. One that has no answer in time fails, and whether it was done is not known.
    ask(request) {
        if (this.state === "closed")
            return Promise.reject(new PubSubError("disconnected", "this client is closed"));
        const id = ++this.lastID;
        return new Promise((resolve, reject) => {
            const text = JSON.stringify({ ...request, id }); // what is no JSON fails here
            const timer = setTimeout(() => this.settle(id)?.reject(new PubSubError("disconnected", "there was no answer in time")), this.patience);
            this.waiting.set(id, { request, resolve, reject, timer });
            if (this.state === "open")
                this.socket.send(text);
        });
    }
    send(request) { this.socket.send(JSON.stringify(request)); }
    receive(m) {
        this.failures = 0;
        this.heard();
        const w = this.settle(m.id);
        if (m.type === "error")
            return w?.reject(new PubSubError(m.code, m.message));
        w?.resolve(m);
        const t = this.topics.get(m.topic);
        if (!t || m.type !== "subscribed" && !t.begun)
            return; // it has unsubscribed meanwhile
        switch (m.type) {
            case "message":
                if (m.offset > t.at.offset)
                    t.at.offset = m.offset;
                return t.handlers.message?.(m.data, m);
            case "join": return t.handlers.join?.(m.member);
            case "leave": return t.handlers.leave?.(m.member);
            case "subscribed":
                if (m.id !== undefined && m.id !== t.asked || m.id === undefined && !t.begun)
                    return; // of a subscription before
                t.begun = true;
                t.at = { epoch: m.epoch, offset: m.offset }; // what comes now is behind it
                t.handlers.subscribed?.(m.recovered !== false, m.members ?? []);
        }
    }
}
