// A client of package pubsub's JSON protocol (docs/pubsub.md), for browsers and Node 22 or later. It has no dependencies.
//
//   const hub = new PubSub("wss://example.com/topics");
//   hub.subscribe("news", { message: (data, m) => show(data) });
//   await hub.publish("news", { text: "hello" });
//
// It connects by itself, comes back after a random wait when the connection is lost, and asks for what it has missed. With several URLs, of
// servers that share their topics, it goes from one to the next.

export interface Position { epoch: string; offset: number }
export interface Member { id: string; info?: unknown }
export interface Message { topic: string; offset: number; time: number; data: any; key?: string }
export type State = "connecting" | "open" | "waiting" | "closed";

/** What a subscriber is told. */
export interface Handlers {
  message?(data: any, m: Message): void;
  /** The subscription has begun, or goes on; recovered is false if messages were missed that are gone. */
  subscribed?(recovered: boolean, members: Member[]): void;
  join?(member: Member): void;
  leave?(member: Member): void;
  /** The server has refused the subscription: it has ended. */
  error?(e: PubSubError): void;
}

export interface SubscribeOptions {
  /** The last message that is known; an empty object asks for all that the topic's history has. Without it only new ones come. */
  since?: Partial<Position>;
  /** What becomes of messages while this client does not read: close (the default), drop, newest. */
  slow?: "close" | "drop" | "newest";
}

/** A refusal of the server's, or, with the code disconnected, a request that the end of a connection has left without an answer. */
export class PubSubError extends Error {
  code: string;
  constructor(code: string, message: string) { super(message); this.code = code; }
}

interface Topic { handlers: Handlers; options: SubscribeOptions; at?: Position }
interface Waiting { resolve(reply: any): void; reject(e: PubSubError): void }

export class PubSub {
  /** Called whenever the state changes. */
  onstate?: (state: State) => void;
  state: State = "connecting";
  /** The URL that it is connected to, or tries. */
  url = "";
  private urls: string[];
  private socket?: WebSocket;
  private topics = new Map<string, Topic>();
  private waiting = new Map<number, Waiting>();
  private lastID = 0;
  private tries = 0;
  private failures = 0; // since the last connection that was good for something
  private timer?: ReturnType<typeof setTimeout>;

  constructor(url: string | string[]) {
    this.urls = typeof url === "string" ? [url] : [...url].sort(() => Math.random() - 0.5);
    this.connect();
  }

  /** Receives what is published to a topic. A topic has one subscription: another call replaces the handlers. */
  subscribe(topic: string, handlers: Handlers, options: SubscribeOptions = {}): void {
    const known = this.topics.get(topic);
    if (known) {
      known.handlers = handlers;
      return;
    }
    const t: Topic = { handlers, options };
    this.topics.set(topic, t);
    if (this.state === "open") this.begin(topic, t);
  }

  /** Ends a subscription. */
  unsubscribe(topic: string): void {
    if (this.topics.delete(topic) && this.state === "open") this.send({ type: "unsubscribe", topic });
  }

  /** Publishes data, and returns the message's position when the server has it. echo: false leaves this client out. */
  publish(topic: string, data: unknown, options: { key?: string; echo?: boolean } = {}): Promise<Position> {
    return this.ask({ type: "publish", topic, data, ...options });
  }

  /** Who has subscribed to a topic. */
  async presence(topic: string): Promise<Member[]> {
    return (await this.ask({ type: "presence", topic })).members ?? [];
  }

  /** The messages of a topic that its history has, behind a position. */
  async history(topic: string, since?: Position, limit?: number): Promise<{ messages: Message[]; complete: boolean } & Position> {
    const reply = await this.ask({ type: "history", topic, since, limit });
    return { messages: [], ...reply };
  }

  /** Ends the connection for good. */
  close(): void {
    this.become("closed");
    clearTimeout(this.timer);
    this.socket?.close(1000);
    this.forget();
  }

  private become(state: State): void {
    if (this.state === "closed") return;
    this.state = state;
    this.onstate?.(state);
  }

  private connect(): void {
    this.url = this.urls[this.tries++ % this.urls.length];
    this.become("connecting");
    const socket = new WebSocket(this.url, "pubsub.v1");
    this.socket = socket;
    socket.onopen = () => {
      this.become("open");
      for (const [topic, t] of this.topics) this.begin(topic, t);
    };
    socket.onmessage = (e) => { if (this.socket === socket && this.state !== "closed") this.receive(JSON.parse(e.data)); };
    socket.onclose = (e) => { if (this.socket === socket && this.state !== "closed") this.lost(e.code); };
  }

  // After 1008 the server does not want this client: it comes back all the same, but not soon.
  private lost(code: number): void {
    this.forget();
    this.become("waiting");
    const most = code === 1008 ? 60_000 : Math.min(30_000, 500 * 2 ** this.failures++);
    this.timer = setTimeout(() => this.connect(), Math.random() * most + (code === 1008 ? 10_000 : 0));
  }

  private forget(): void {
    const all = [...this.waiting.values()];
    this.waiting.clear();
    for (const w of all) w.reject(new PubSubError("disconnected", "the connection has ended; it is not known whether the server has done it"));
  }

  private begin(topic: string, t: Topic): void {
    const since = t.at ?? t.options.since;
    this.ask({ type: "subscribe", topic, since, slow: t.options.slow }).catch((e: PubSubError) => {
      if (e.code === "disconnected" || this.topics.get(topic) !== t) return; // it is tried again
      if (e.code === "unavailable") { // the servers do not reach each other
        const socket = this.socket;
        setTimeout(() => { if (this.socket === socket && this.state === "open" && this.topics.get(topic) === t) this.begin(topic, t); }, 1000 + Math.random() * 4000);
        return;
      }
      this.topics.delete(topic);
      t.handlers.error?.(e);
    });
  }

  private ask(request: object): Promise<any> {
    if (this.state !== "open") return Promise.reject(new PubSubError("disconnected", "there is no connection"));
    const id = ++this.lastID;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.send({ ...request, id });
    });
  }

  private send(request: object): void { this.socket!.send(JSON.stringify(request)); }

  private receive(m: any): void {
    this.failures = 0;
    const t = this.topics.get(m.topic);
    switch (m.type) {
      case "message":
        if (!t) return; // unsubscribed meanwhile
        if (t.at && m.offset > t.at.offset) t.at.offset = m.offset;
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
    if (!w) return;
    this.waiting.delete(m.id);
    m.type === "error" ? w.reject(new PubSubError(m.code, m.message)) : w.resolve(m);
  }
}
