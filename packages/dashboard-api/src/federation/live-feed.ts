import type { LiveEventType } from "../contract/federation.js";
import type { FederationLink, FederationNews } from "./federation-link.js";

/** One server-sent event, as it goes out to everybody who wants it. */
export interface LiveFrame {
  readonly id: number;
  readonly type: LiveEventType;
  /** Job that it is about. */
  readonly jobId: string | undefined;
  /** The text of the event, with its empty line. */
  readonly text: string;
}

/** Somebody who reads the feed. */
export interface FeedReader {
  readonly wants: (frame: Pick<LiveFrame, "type" | "jobId">) => boolean;
  readonly send: (text: string) => void;
}

export interface LiveFeedComponents {
  readonly link: Pick<FederationLink, "subscribe" | "view">;
  /** Lists of the dashboard that change. */
  readonly changes: { subscribe(listener: (kind: string) => void): () => void };
  readonly now: () => number;
}

export interface LiveFeedInit {
  /** Changes of one kind are gathered for so long, in milliseconds. @default 250 */
  readonly gatherMs?: number;
  /** How often readers are told that the feed lives. @default 15_000 */
  readonly heartbeatMs?: number;
}

/** What is kept for readers who come back: so many events, so many characters. */
const keptFrames = 2_000;
const keptChars = 8 * 1024 * 1024;
/** Whoever has missed more gets a snapshot: it would have to be given more at once than a reader may leave unread. */
const mostMissedChars = 1024 * 1024;

/**
 * Turns news into server-sent events: gathered, so that a kind comes four times a second at most, numbered, and kept for a while, so
 * that a reader who was cut off goes on where it was. Numbers grow over restarts too.
 */
export class LiveFeed {
  readonly #parts: LiveFeedComponents;
  readonly #gatherMs: number;
  readonly #heartbeatMs: number;
  readonly #readers = new Set<FeedReader>();
  readonly #kept: LiveFrame[] = [];
  #keptChars = 0;
  #lastId: number;
  #pending = new Pending();
  #timer: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  readonly #closers: (() => void)[] = [];

  constructor(components: LiveFeedComponents, init: LiveFeedInit = {}) {
    this.#parts = components;
    this.#gatherMs = init.gatherMs ?? 250;
    this.#heartbeatMs = init.heartbeatMs ?? 15_000;
    // A thousand events per millisecond of the run before would have to be told for a number to come twice.
    this.#lastId = components.now() * 1000;
  }

  get readers(): number {
    return this.#readers.size;
  }

  start(): void {
    const { link, changes } = this.#parts;
    this.#closers.push(
      link.subscribe((news) => this.#take((pending) => pending.note(news))),
      changes.subscribe((kind) => this.#take((pending) => pending.changed.add(kind))),
    );
  }

  stop(): void {
    for (const close of this.#closers.splice(0)) close();
    clearTimeout(this.#timer);
    clearInterval(this.#heartbeat);
  }

  /**
   * Adds a reader: it gets what came after the event that it names, or a snapshot where that is too much or not known any more, then
   * everything that it wants. Returns what ends that.
   */
  open(reader: FeedReader, after: number | undefined): () => void {
    const first = this.#kept[0]?.id ?? this.#lastId + 1;
    const isKnown = after !== undefined && after >= first - 1 && after <= this.#lastId;
    const missed = isKnown ? this.#kept.filter((frame) => frame.id > after && reader.wants(frame)) : [];
    if (isKnown && missed.reduce((chars, { text }) => chars + text.length, 0) <= mostMissedChars) {
      for (const { text } of missed) reader.send(text);
    } else {
      // With the number of the newest event: what comes after is told.
      reader.send(frameText(this.#lastId, "snapshot", this.#parts.link.view()));
    }
    this.#readers.add(reader);
    this.#heartbeat ??= setInterval(() => this.#beat(), this.#heartbeatMs).unref();
    return () => {
      this.#readers.delete(reader);
      if (this.#readers.size > 0) return;
      clearInterval(this.#heartbeat);
      this.#heartbeat = undefined;
    };
  }

  #take(note: (pending: Pending) => void): void {
    note(this.#pending);
    this.#timer ??= setTimeout(() => this.#flush(), this.#gatherMs).unref();
  }

  #flush(): void {
    this.#timer = undefined;
    const pending = this.#pending;
    this.#pending = new Pending();
    for (const { type, jobId, data } of pending.events(() => this.#parts.link.view())) {
      this.#lastId += 1;
      const frame: LiveFrame = { id: this.#lastId, type, jobId, text: frameText(this.#lastId, type, data) };
      this.#keep(frame);
      for (const reader of this.#readers) if (reader.wants(frame)) reader.send(frame.text);
    }
  }

  #keep(frame: LiveFrame): void {
    this.#kept.push(frame);
    this.#keptChars += frame.text.length;
    while (this.#kept.length > keptFrames || (this.#keptChars > keptChars && this.#kept.length > 1)) {
      this.#keptChars -= this.#kept.shift()?.text.length ?? 0;
    }
  }

  #beat(): void {
    const text = `event: heartbeat\ndata: ${JSON.stringify({ atMs: this.#parts.now() })}\n\n`;
    for (const reader of this.#readers) reader.send(text);
  }
}

/** What has changed since the last events, the newest word of each thing only. */
class Pending {
  readonly changed = new Set<string>();
  readonly #sites = new Map<string, unknown>();
  readonly #jobs = new Map<string, unknown>();
  readonly #removed = new Set<string>();
  readonly #byJob = {
    "job-events": new Map<string, unknown[]>(),
    metrics: new Map<string, unknown[]>(),
    logs: new Map<string, unknown[]>(),
  };
  #link: unknown;
  #isWhole = false;

  note(news: FederationNews): void {
    switch (news.kind) {
      case "snapshot":
        this.#isWhole = true;
        this.#sites.clear();
        this.#jobs.clear();
        this.#removed.clear();
        return;
      case "link":
        this.#link = news.link;
        return;
      case "sites":
        for (const site of news.sites) this.#sites.set(site.name, site);
        return;
      case "jobs":
        for (const job of news.jobs) {
          this.#jobs.set(job.id, job);
          this.#removed.delete(job.id);
        }
        for (const id of news.removed) {
          this.#removed.add(id);
          this.#jobs.delete(id);
        }
        return;
      case "job-events":
        return this.#add("job-events", news.jobId, news.entries);
      case "metrics":
        return this.#add("metrics", news.jobId, news.points);
      case "logs":
        return this.#add("logs", news.jobId, news.lines);
    }
  }

  *events(view: () => unknown): Generator<{ readonly type: LiveEventType; readonly jobId: string | undefined; readonly data: unknown }> {
    if (this.#link !== undefined) yield { type: "link", jobId: undefined, data: this.#link };
    if (this.#isWhole) yield { type: "snapshot", jobId: undefined, data: view() };
    else {
      if (this.#sites.size > 0) yield { type: "sites", jobId: undefined, data: { sites: [...this.#sites.values()] } };
      if (this.#jobs.size > 0 || this.#removed.size > 0) {
        yield { type: "jobs", jobId: undefined, data: { jobs: [...this.#jobs.values()], removed: [...this.#removed] } };
      }
    }
    for (const [jobId, entries] of this.#byJob["job-events"]) yield { type: "job-events", jobId, data: { jobId, entries } };
    for (const [jobId, points] of this.#byJob.metrics) yield { type: "metrics", jobId, data: { jobId, points } };
    for (const [jobId, lines] of this.#byJob.logs) yield { type: "logs", jobId, data: { jobId, lines } };
    if (this.changed.size > 0) yield { type: "people", jobId: undefined, data: { changed: [...this.changed] } };
  }

  #add(kind: "job-events" | "metrics" | "logs", jobId: string, more: readonly unknown[]): void {
    const known = this.#byJob[kind].get(jobId);
    if (known === undefined) this.#byJob[kind].set(jobId, [...more]);
    else known.push(...more);
  }
}

function frameText(id: number, type: string, data: unknown): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}
