/** Whether the page's figures are of now. */
export type LiveState = "connecting" | "live" | "lost";

/** The part of `EventSource` that is used. */
export interface EventStream {
  addEventListener(type: string, listener: (event: { readonly data?: unknown; readonly lastEventId?: string }) => void): void;
  close(): void;
}

export interface LiveConnectionComponents {
  /** Opens the stream of events, after the one that is named. It resumes by itself after a short cut. */
  readonly open: (after: string | undefined) => EventStream;
  /** Takes what came. */
  readonly apply: (type: string, data: unknown) => void;
  readonly setTimer: (run: () => void, ms: number) => () => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface LiveConnectionInit {
  /** Kinds of events to listen for. */
  readonly types: readonly string[];
  /** Silence after which the stream counts as lost, in milliseconds; the server says something more often. @default 40_000 */
  readonly silenceMs?: number;
  /** Pause before a stream that is closed for good is opened anew. @default 4_000 */
  readonly reopenMs?: number;
  /** The last event of an earlier stream: what came after it is told, or a snapshot. */
  readonly after?: string | undefined;
}

/**
 * The page's one stream of events. It says honestly whether it is live: a stream that is silent for longer than its heartbeat is
 * lost, whatever the browser thinks of the socket.
 */
export class LiveConnection {
  readonly #parts: LiveConnectionComponents;
  readonly #types: readonly string[];
  readonly #silenceMs: number;
  readonly #reopenMs: number;
  readonly #listeners = new Set<() => void>();
  #state: LiveState = "connecting";
  #heardAtMs: number | null = null;
  #lastId: string | undefined;
  #stream: EventStream | undefined;
  #cancelTimer: () => void = () => {};

  constructor(components: LiveConnectionComponents, init: LiveConnectionInit) {
    this.#parts = components;
    this.#types = init.types;
    this.#silenceMs = init.silenceMs ?? 40_000;
    this.#reopenMs = init.reopenMs ?? 4000;
    this.#lastId = init.after;
  }

  get state(): LiveState {
    return this.#state;
  }

  /** When the stream last said anything; `null` before it ever did. */
  get heardAtMs(): number | null {
    return this.#heardAtMs;
  }

  /** The last event that came. */
  get lastId(): string | undefined {
    return this.#lastId;
  }

  /** Calls back at each change of the state; returns what ends that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  start(): void {
    if (this.#stream !== undefined) return;
    // After a rest it is not known what happened meanwhile.
    if (this.#state === "live") this.#become("connecting");
    const stream = this.#parts.open(this.#lastId);
    this.#stream = stream;
    const heard = (): void => {
      if (this.#stream !== stream) return;
      this.#heardAtMs = this.#parts.now();
      this.#become("live");
      this.#watch(this.#silenceMs);
    };
    stream.addEventListener("open", heard);
    stream.addEventListener("heartbeat", heard);
    stream.addEventListener("error", () => {
      if (this.#stream !== stream) return;
      this.#become("lost");
      this.#watch(this.#reopenMs);
    });
    for (const type of this.#types) {
      stream.addEventListener(type, ({ data, lastEventId }) => {
        if (this.#stream !== stream || typeof data !== "string") return;
        heard();
        if (lastEventId !== undefined && lastEventId !== "") this.#lastId = lastEventId;
        this.#parts.apply(type, JSON.parse(data));
      });
    }
    this.#watch(this.#silenceMs);
  }

  stop(): void {
    this.#cancelTimer();
    this.#stream?.close();
    this.#stream = undefined;
  }

  /** Gives the stream some time to speak; then it is opened anew. */
  #watch(ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#parts.setTimer(() => {
      this.#become("lost");
      this.stop();
      this.start();
    }, ms);
  }

  #become(state: LiveState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
