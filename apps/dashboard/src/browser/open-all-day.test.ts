import { getSession, type Job, type LiveEvent, type LiveEventType, signOut } from "@flare-ts/dashboard-api/contract";
import type { CDPSession } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import { lackedChromium, takePictures, type WatchedPage } from "./chromium.test-support.js";
import { openAt } from "./faults.test-support.js";
import { openSetUpPage } from "./set-up-page.test-support.js";
import { StagedFederation, stagedJobs } from "./staged-federation.test-support.js";
import { clientOf } from "./staged-project.test-support.js";
import type { PageDashboard } from "./test-dashboard.test-support.js";

const lacked = lackedChromium();
const hourMs = 3_600_000;
const soon = { timeout: 20_000 };
let dashboard: PageDashboard;
let federation: StagedFederation;
let watched: WatchedPage;

describe.skipIf(lacked !== "")(`a page that is left open for three days${lacked}`, () => {
  beforeEach(async () => {
    federation = new StagedFederation({ nowMs: Date.now() });
    const started = await openSetUpPage({ federation });
    ({ dashboard, admin: watched } = started);
    return started.stop;
  });

  it("holds no more at its end than in its first morning: jobs come and go, the stream breaks each hour", async () => {
    const { page } = watched;
    const day = new Day({ federation });
    await page.clock.install();
    await page.route("**/api/v1/events*", (route) =>
      route.fulfill({ contentType: "text/event-stream", headers: { "cache-control": "no-store" }, body: day.nextHour() }),
    );
    await openAt(page, "/");
    const session = await watched.context.newCDPSession(page);
    const upTo = async (hour: number): Promise<void> => {
      while (day.hour < hour) {
        const before = day.hour;
        await expect.poll(() => day.hour, { ...soon, interval: 20 }).toBeGreaterThan(before);
        await page.clock.fastForward(hourMs);
      }
    };
    await upTo(6);
    const morning = await held(session);
    await upTo(72);
    const evening = await held(session);
    process.stdout.write(
      `${day.events} events, ${day.jobs} jobs, ${day.hour} cuts; heap ${megabytes(morning.heap)} MB in the morning, ${megabytes(evening.heap)} MB in the evening; ` +
        `${morning.nodes} and ${evening.nodes} nodes, ${morning.listeners} and ${evening.listeners} listeners\n`,
    );
    expect(day.events).toBeGreaterThan(15_000);
    // What a page holds comes and goes by 2 MB with what was compiled last; events that it kept would add 10 MB or more.
    expect(evening.heap - morning.heap).toBeLessThan(5_000_000);
    expect(evening.nodes - morning.nodes).toBeLessThan(300);
    expect(evening.listeners - morning.listeners).toBeLessThan(50);
    expect(watched.offences).toEqual([]);
  });

  it("says that it is stale while the dashboard is away, and shows what is so once it is back", async () => {
    const { page } = watched;
    await openAt(page, `/jobs/${stagedJobs.running}`);
    const round = page.getByRole("group", { name: "Round", exact: true });
    await expect.poll(() => round.textContent(), soon).toContain("Round 7 of 20");
    const note = page.getByRole("status").filter({ hasText: "This page is not live" });
    await dashboard.restart(async () => {
      await note.waitFor();
      expect(await note.textContent()).toMatch(/What you see is of .*\d/);
      await takePictures(page, "stale");
      // Nobody hears of this: two rounds go by, and another job ends.
      for (let moves = 0; moves < 11; moves++) federation.move();
    });
    await note.waitFor({ state: "hidden", timeout: 20_000 });
    await expect.poll(() => round.textContent(), soon).toContain("Round 9 of 20");
    const { journal, lines } = federation.jobs.get(stagedJobs.running) ?? { journal: [], lines: [] };
    expect(journal.filter(({ event }) => event.type === "round-opened")).toHaveLength(9);
    await expect.poll(() => page.getByRole("log").locator("> div").count(), soon).toBe(lines.length);
    // It is live again: what happens now is seen.
    federation.end();
    await page.getByText("aborted", { exact: true }).waitFor();
    expect(watched.offences).toEqual([]);
  });

  it("goes to the page to sign in when its session has ended elsewhere", async () => {
    const { page, context } = watched;
    await openAt(page, "/jobs");
    await dashboard.restart(async () => {
      await page.getByRole("status").filter({ hasText: "This page is not live" }).waitFor();
    });
    const api = clientOf(context, dashboard.running.url);
    await api.call(getSession);
    await api.call(signOut);
    await page.getByRole("heading", { name: "Sign in" }).waitFor({ timeout: 30_000 });
    expect(watched.offences).toEqual([]);
  });
});

/** A day of a federation, told hour by hour as the stream of events would tell it, and cut off after each. */
class Day {
  hour = 0;
  events = 0;
  jobs = 0;
  readonly #federation: StagedFederation;
  #id = 1_000_000;
  #gone: string[] = [];

  constructor(components: { readonly federation: StagedFederation }) {
    this.#federation = components.federation;
  }

  /** Four jobs of ten rounds, one after the other, and the sites that they run on. */
  nextHour(): string {
    this.hour++;
    const frames: string[] = ["retry: 30\n\n"];
    const tell = <T extends LiveEventType>(type: T, data: LiveEvent<T>): void => {
      this.events++;
      frames.push(`id: ${this.#id++}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
    };
    const view = this.#federation.view();
    tell("snapshot", view);
    for (let job = 0; job < 4; job++) this.#job(tell);
    tell("people", { changed: ["people", "sites", "kits", "invitations", "project", "audit"] });
    return frames.join("");
  }

  #job(tell: <T extends LiveEventType>(type: T, data: LiveEvent<T>) => void): void {
    const id = `00000000-0000-4000-8000-${String(++this.jobs).padStart(12, "0")}`;
    const { sites, jobs } = this.#federation.view();
    const atMs = Date.now();
    const job: Job = { ...(jobs[0] as Job), id, name: `job-${this.jobs}`, submittedAtMs: atMs, startedAtMs: atMs, progress: {} };
    let seq = 0;
    const entries = (...events: readonly { readonly type: string }[]) => events.map((event) => ({ seq: ++seq, atMs, event }));
    tell("jobs", { jobs: [job], removed: this.#gone });
    for (let round = 0; round < 10; round++) {
      const progress = Object.fromEntries(sites.map(({ name }) => [name, { phase: `training ${round}`, done: round, total: 10, atMs }]));
      tell("jobs", { jobs: [{ ...job, progress }], removed: [] });
      tell("sites", { sites: sites.map((site, at) => ({ ...site, receivedBytes: round * at, sinceMs: atMs })) });
      tell("job-events", {
        jobId: id,
        entries: entries({ type: "round-opened", round, sites: job.sites, totalRounds: 10, task: "train" } as never),
      });
      tell("metrics", { jobId: id, points: [{ seq: round + 1, atMs, site: "riverside", key: "loss", value: round, round, step: round }] });
      tell("link", { isConnected: true, sinceMs: atMs, reason: "" });
      tell("job-events", {
        jobId: id,
        entries: entries({ type: "round-closed", round, metrics: {}, missing: [], contributors: [] } as never),
      });
    }
    tell("jobs", { jobs: [{ ...job, status: "FINISHED:COMPLETED", endedAtMs: atMs }], removed: [] });
    this.#gone = [id];
  }
}

/** What a page holds once everything is thrown away that nobody needs. */
async function held(session: CDPSession): Promise<{ readonly heap: number; readonly nodes: number; readonly listeners: number }> {
  for (let times = 0; times < 3; times++) await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  const { nodes, jsEventListeners } = await session.send("Memory.getDOMCounters");
  return { heap: usedSize, nodes, listeners: jsEventListeners };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
