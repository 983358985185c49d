import { afterEach, describe, expect, it } from "vitest";
import { routeUrl } from "../contract/api-client.js";
import { getFederation, streamEvents } from "../contract/federation.js";
import { startTestDashboard, type TestDashboard, type TestPerson } from "../test-dashboard.test-support.js";
import { FakeFederation, fakeJob, fakeSite } from "./fake-federation.test-support.js";

const jobId = "3f0c9a52-6f0e-4e0a-9d2b-0f8f5a4a7b11";
const aborts: AbortController[] = [];

afterEach(() => {
  for (const abort of aborts.splice(0)) abort.abort();
});

async function start(): Promise<{ dashboard: TestDashboard; link: FakeFederation }> {
  const link = new FakeFederation();
  const dashboard = await startTestDashboard("SQLite", { liveTimes: { gatherMs: 5, heartbeatMs: 20 } }, { federation: link });
  return { dashboard, link };
}

interface Reading {
  readonly events: { readonly id: number; readonly type: string; readonly data: unknown }[];
  readonly abort: AbortController;
  readonly over: Promise<void>;
}

/** Reads a stream of events as a browser does. */
async function listen(person: TestPerson, query: { readonly job?: string; readonly after?: string } = {}): Promise<Reading> {
  const abort = new AbortController();
  aborts.push(abort);
  return read(await person.call(streamEvents, { query, signal: abort.signal }), abort);
}

function read(response: Response, abort: AbortController): Reading {
  const events: Reading["events"] = [];
  const over = (async () => {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
      rest = parts.pop() ?? "";
      for (const text of parts) {
        const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(text)?.[1] ?? "";
        if (field("event") !== "") events.push({ id: Number(field("id")), type: field("event"), data: JSON.parse(field("data")) });
      }
    }
  })().catch(() => undefined);
  return { events, abort, over };
}

describe("the stream of events", () => {
  it("is a snapshot, then what changes, then heartbeats; and goes on after a cut", async () => {
    const { dashboard, link } = await start();
    const member = await dashboard.person();
    link.sites.push(fakeSite("site-1"));
    expect(await member.call(getFederation)).toMatchObject({ sites: [{ name: "site-1" }] });
    const first = await listen(member);
    await expect.poll(() => first.events[0]).toMatchObject({ type: "snapshot", data: { sites: [{ name: "site-1" }] } });
    link.tell({ kind: "jobs", jobs: [fakeJob(jobId)], removed: [] });
    await expect.poll(() => first.events.find(({ type }) => type === "jobs")).toMatchObject({ data: { jobs: [{ id: jobId }] } });
    await expect.poll(() => first.events.some(({ type }) => type === "heartbeat")).toBe(true);
    const last = first.events.findLast(({ id }) => id > 0)?.id ?? 0;
    first.abort.abort();
    await first.over;
    link.tell({ kind: "sites", sites: [fakeSite("site-2")] });
    const again = await listen(member, { after: String(last) });
    await expect
      .poll(() => again.events.find(({ type }) => type !== "heartbeat"))
      .toMatchObject({
        type: "sites",
        data: { sites: [{ name: "site-2" }] },
      });
  });

  it("goes on after the last event that a browser had, whatever its address says that it began after", async () => {
    const { dashboard, link } = await start();
    const member = await dashboard.person();
    const first = await listen(member);
    const tellSite = async (name: string): Promise<number> => {
      link.tell({ kind: "sites", sites: [fakeSite(name)] });
      await expect.poll(() => first.events.some(({ data }) => JSON.stringify(data).includes(name))).toBe(true);
      return first.events.findLast(({ id }) => id > 0)?.id ?? 0;
    };
    const [began, had] = [await tellSite("site-1"), await tellSite("site-2")];
    await tellSite("site-3");
    const abort = new AbortController();
    aborts.push(abort);
    const url = `${dashboard.url}${routeUrl(streamEvents, {}, { after: String(began) })}`;
    const again = read(await member.fetch(url, { headers: { "last-event-id": String(had) }, signal: abort.signal }), abort);
    await expect.poll(() => again.events.filter(({ type }) => type === "sites")).toMatchObject([{ data: { sites: [{ name: "site-3" }] } }]);
  });

  it("carries log lines to those only who may read them and ask for them", async () => {
    const { dashboard, link } = await start();
    link.jobs.push(fakeJob(jobId, { submitter: "lead@example.org" }));
    const lead = await dashboard.person({ role: "lead", email: "lead@example.org" });
    const other = await dashboard.person({ role: "lead", email: "other@example.org" });
    const readings = await Promise.all([listen(lead, { job: jobId }), listen(lead), listen(other, { job: jobId })]);
    await expect.poll(() => readings.every(({ events }) => events.length > 0)).toBe(true);
    expect(link.logReaders.get(jobId)).toBe(1);
    link.tell({ kind: "logs", jobId, lines: [{ seq: 1, atMs: 1, site: "site-1", source: "trainer", text: "epoch 1" }] });
    link.tell({ kind: "job-events", jobId, entries: [{ seq: 1, atMs: 1, event: { type: "job-started" } }] });
    await expect.poll(() => readings.every(({ events }) => events.some(({ type }) => type === "job-events"))).toBe(true);
    expect(readings.map(({ events }) => events.some(({ type }) => type === "logs"))).toEqual([true, false, false]);
  });

  it("leaves nothing behind, however many read it and however they leave", async () => {
    const { dashboard, link } = await start();
    const people = await Promise.all(Array.from({ length: 5 }, async () => dashboard.person({ role: "project_admin" })));
    link.jobs.push(fakeJob(jobId));
    const { feed } = dashboard.dashboard.parts.federation;
    for (let i = 0; i < 3; i += 1) {
      const readings = await Promise.all(
        people.flatMap((person) => Array.from({ length: 10 }, async () => listen(person, { job: jobId }))),
      );
      expect(feed.readers).toBe(50);
      link.tell({ kind: "sites", sites: [fakeSite("site-1")] });
      await expect.poll(() => readings.every(({ events }) => events.some(({ type }) => type === "sites"))).toBe(true);
      for (const { abort } of readings) abort.abort();
      await expect.poll(() => feed.readers).toBe(0);
    }
    expect(link.logReaders.get(jobId)).toBe(0);
  });

  it("cuts off who does not read, and those who do go on", async () => {
    const { dashboard, link } = await start();
    const [slow, quick] = await Promise.all([dashboard.person(), dashboard.person()]);
    const abort = new AbortController();
    aborts.push(abort);
    // Nobody takes the body of this answer.
    await slow.call(streamEvents, { signal: abort.signal });
    const reading = await listen(quick);
    const { feed } = dashboard.dashboard.parts.federation;
    expect(feed.readers).toBe(2);
    const text = "x".repeat(200_000);
    const more = (): number => {
      link.tell({ kind: "jobs", jobs: [fakeJob(jobId, { reason: text })], removed: [] });
      return feed.readers;
    };
    await expect.poll(more, { interval: 10 }).toBe(1);
    link.tell({ kind: "sites", sites: [fakeSite("last")] });
    await expect.poll(() => reading.events.some(({ type }) => type === "sites")).toBe(true);
  });

  it("gives a snapshot to whoever has missed more than can be given at once", async () => {
    const { dashboard, link } = await start();
    const [first, second] = await Promise.all([dashboard.person(), dashboard.person()]);
    const { feed } = dashboard.dashboard.parts.federation;
    const watching = await listen(second);
    const before = await listen(first);
    await expect.poll(() => before.events.length).toBeGreaterThan(0);
    const last = before.events.findLast(({ id }) => id > 0)?.id ?? 0;
    before.abort.abort();
    await expect.poll(() => feed.readers).toBe(1);
    for (let i = 1; i <= 7; i++) {
      link.tell({ kind: "jobs", jobs: [fakeJob(jobId, { reason: "x".repeat(1_000_000) })], removed: [] });
      await expect.poll(() => watching.events.filter(({ type }) => type === "jobs").length).toBe(i);
    }
    const again = await listen(first, { after: String(last) });
    await expect.poll(() => again.events.map(({ type }) => type)).toContain("snapshot");
    link.tell({ kind: "sites", sites: [fakeSite("site-1")] });
    await expect.poll(() => again.events.some(({ type }) => type === "sites")).toBe(true);
  });

  it("gives whoever reads an event of any size, and forgets them when they go", async () => {
    const { dashboard, link } = await start();
    const member = await dashboard.person();
    const { feed } = dashboard.dashboard.parts.federation;
    link.sites.push(fakeSite("site-1", { reason: "x".repeat(5_000_000) }));
    const abort = new AbortController();
    aborts.push(abort);
    const response = await member.call(streamEvents, { signal: abort.signal });
    let chars = 0;
    for await (const chunk of response.body ?? []) {
      chars += chunk.byteLength;
      expect(feed.readers).toBe(1);
      if (chars > 5_000_000) break;
    }
    abort.abort();
    await expect.poll(() => feed.readers).toBe(0);
  });

  it("ends when the dashboard stops", async () => {
    const { dashboard } = await start();
    const reading = await listen(await dashboard.person());
    await expect.poll(() => reading.events.length).toBeGreaterThan(0);
    await dashboard.stop();
    await reading.over;
  });
});
