import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Changes } from "../changes.js";
import { FakeFederation, fakeJob, fakeSite } from "./fake-federation.test-support.js";
import { type FeedReader, LiveFeed } from "./live-feed.js";

let link: FakeFederation;
let changes: Changes;
let feed: LiveFeed;

beforeEach(() => {
  vi.useFakeTimers();
  link = new FakeFederation();
  changes = new Changes();
  feed = new LiveFeed({ link, changes, now: () => 5 });
  feed.start();
});
afterEach(() => {
  feed.stop();
  vi.useRealTimers();
});

interface Heard {
  readonly id: number;
  readonly type: string;
  readonly data: unknown;
}

function read(wants: FeedReader["wants"] = () => true, after?: number): { heard: Heard[]; close: () => void } {
  const heard: Heard[] = [];
  const send = (text: string): void => {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(text)?.[1] ?? "";
    heard.push({ id: Number(field("id")), type: field("event"), data: JSON.parse(field("data")) });
  };
  return { heard, close: feed.open({ wants, send }, after) };
}

const gather = (): unknown => vi.advanceTimersByTime(250);
const typesOf = (heard: readonly Heard[]): string[] => heard.map(({ type }) => type);

describe("the feed of live events", () => {
  it("begins with a snapshot, and gathers what changes: the newest word of each site, once", () => {
    const { heard } = read();
    for (let i = 1; i <= 100; i += 1) link.tell({ kind: "sites", sites: [fakeSite("a", { receivedBytes: i }), fakeSite("b")] });
    gather();
    expect(typesOf(heard)).toEqual(["snapshot", "sites"]);
    expect(heard[1]?.data).toMatchObject({ sites: [{ name: "a", receivedBytes: 100 }, { name: "b" }] });
  });

  it("tells a kind four times a second at most, and loses no entry of a journal", () => {
    const { heard } = read();
    for (let i = 1; i <= 100; i += 1) {
      link.tell({ kind: "job-events", jobId: "j", entries: [{ seq: i, atMs: i, event: { type: "x" } }] });
      vi.advanceTimersByTime(20);
    }
    gather();
    const events = heard.filter(({ type }) => type === "job-events").map(({ data }) => data as { entries: { seq: number }[] });
    expect(events.length).toBeLessThanOrEqual(9);
    expect(events.flatMap(({ entries }) => entries.map(({ seq }) => seq))).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  });

  it("goes on where a reader was cut off, with what it wants only", () => {
    const first = read();
    link.tell({ kind: "jobs", jobs: [fakeJob("j")], removed: [] });
    gather();
    const last = first.heard.at(-1)?.id;
    first.close();
    link.tell({ kind: "sites", sites: [fakeSite("a")] });
    link.tell({ kind: "logs", jobId: "j", lines: [] });
    gather();
    changes.publish("people");
    gather();
    const again = read(({ type }) => type !== "logs", last);
    expect(typesOf(again.heard)).toEqual(["sites", "people"]);
    expect(again.heard[1]?.data).toEqual({ changed: ["people"] });
    const ids = again.heard.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
  });

  it("gives a snapshot to whoever comes with a number of before the restart, or of what is not kept any more", () => {
    expect(typesOf(read(undefined, 17).heard)).toEqual(["snapshot"]);
    expect(typesOf(read(undefined, 9_000_000).heard)).toEqual(["snapshot"]);
    const { heard, close } = read();
    const start = heard[0]?.id ?? 0;
    close();
    for (let i = 0; i < 2_100; i += 1) {
      link.tell({ kind: "jobs", jobs: [fakeJob("j")], removed: [] });
      gather();
    }
    expect(typesOf(read(undefined, start).heard)).toEqual(["snapshot"]);
    expect(typesOf(read(undefined, start + 2_050).heard)).toHaveLength(50);
  });

  it("says a whole new state where everything may have changed", () => {
    const { heard } = read();
    link.sites.push(fakeSite("c"));
    link.tell({ kind: "sites", sites: [fakeSite("a")] });
    link.tell({ kind: "link", link: { isConnected: true, sinceMs: 3, reason: "" } });
    link.tell({ kind: "snapshot" });
    link.tell({ kind: "jobs", jobs: [fakeJob("j")], removed: ["k"] });
    gather();
    expect(typesOf(heard)).toEqual(["snapshot", "link", "snapshot"]);
    expect(heard[2]?.data).toMatchObject({ sites: [{ name: "c" }] });
  });

  it("says that it lives, and has no timer once nobody reads", () => {
    const { heard, close } = read();
    vi.advanceTimersByTime(30_000);
    expect(typesOf(heard)).toEqual(["snapshot", "heartbeat", "heartbeat"]);
    close();
    expect(vi.getTimerCount()).toBe(0);
    expect(feed.readers).toBe(0);
  });
});
