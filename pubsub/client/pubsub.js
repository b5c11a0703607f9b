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
export class PubSub {
    /** Called whenever the state changes. */
    onstate;
    state = "connecting";
    /** The URL that it is connected to, or tries. */
    url = "";
    urls;
    socket;
    topics = new Map();
    waiting = new Map();
    lastID = 0;
    tries = 0;
    failures = 0; // since the last connection that was good for something
    timer;
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
        this.socket = socket;
        socket.onopen = () => {
            this.become("open");
            for (const [topic, t] of this.topics)
                this.begin(topic, t);
        };
        socket.onmessage = (e) => { if (this.socket === socket && this.state !== "closed")
            this.receive(JSON.parse(e.data)); };
        socket.onclose = (e) => { if (this.socket === socket && this.state !== "closed")
            this.lost(e.code); };
    }
    // After 1008 the server does not want this client: it comes back all the same, but not soon.
    lost(code) {
        this.forget();
        this.become("waiting");
        const most = code === 1008 ? 60_000 : Math.min(30_000, 500 * 2 ** this.failures++);
        this.timer = setTimeout(() => this.connect(), Math.random() * most + (code === 1008 ? 10_000 : 0));
    }
    forget() {
        const all = [...this.waiting.values()];
        this.waiting.clear();
        for (const w of all)
            w.reject(new PubSubError("disconnected", "the connection has ended; it is not known whether the server has done it"));
    }
    begin(topic, t) {
        const since = t.at ?? t.options.since;
        this.ask({ type: "subscribe", topic, since, slow: t.options.slow }).catch((e) => {
            if (e.code === "disconnected" || this.topics.get(topic) !== t)
                return; // it is tried again
            if (e.code === "unavailable") { // the servers do not reach each other
                const socket = this.socket;
                setTimeout(() => { if (this.socket === socket && this.state === "open" && this.topics.get(topic) === t)
                    this.begin(topic, t); }, 1000 + Math.random() * 4000);
                return;
            }
            this.topics.delete(topic);
            t.handlers.error?.(e);
        });
    }
    ask(request) {
        if (this.state !== "open")
            return Promise.reject(new PubSubError("disconnected", "there is no connection"));
        const id = ++this.lastID;
        return new Promise((resolve, reject) => {
            this.waiting.set(id, { resolve, reject });
            this.send({ ...request, id });
        });
    }
    send(request) { this.socket.send(JSON.stringify(request)); }
    receive(m) {
        this.failures = 0;
        const t = this.topics.get(m.topic);
        switch (m.type) {
            case "message":
                if (!t)
                    return; // unsubscribed meanwhile
                if (t.at && m.offset > t.at.offset)
                    t.at.offset = m.offset;
                return t.handlers.message?.(m.data, m);
            case "join": return t?.handlers.join?.(m.member);
            case "leave": return t?.handlers.leave?.(m.member);
            case "subscribed":
                if (t) {
                    t.at = { epoch: m.epoch, offset: m.offset }; // what comes now is behind it
                    t.handlers.subscribed?.(m.recovered !== false, m.members ?? []);
                }
        }
        const w = this.waiting.get(m.id);
        if (!w)
            return;
        this.waiting.delete(m.id);
        m.type === "error" ? w.reject(new PubSubError(m.code, m.message)) : w.resolve(m);
    }
}
