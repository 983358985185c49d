import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobEvent } from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { letGo, writeAddOneJob } from "./add-one-job.js";
import { eventually } from "./eventually.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";

const sites = ["site-1", "site-2", "site-3"];
const late = "site-3";
const others = ["site-1", "site-2"];
const [missed, last] = [1, 3];
let federation: Federation;
let folder: string;
let undisturbed: readonly JobEvent[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-late-"));
  // The sites are alike, so that the model does not tell who contributed: what it would tell is an update that counts twice.
  await writeAddOneJob({
    folder,
    rounds: last + 1,
    parameters: 100_000,
    // The late one has nothing to bring before it is stopped, and the last round waits until it is back.
    holds: { [late]: [missed], ...Object.fromEntries(others.map((site) => [site, [last]])) },
    minClients: 2,
    args: { min_clients: 2, wait_time_after_min_received: 2 },
  });
  federation = await createFederation({ sites });
  await federation.startAll();
  undisturbed = await run();
});

afterAll(async () => {
  await federation.dispose();
  await rm(folder, { recursive: true, force: true });
});

describe("a site that comes back after its round", () => {
  it.each<[string, NodeJS.Signals]>([
    ["was frozen, and has its update at hand", "SIGCONT"],
    ["was killed, and is started again by its watchdog", "SIGKILL"],
  ])("takes part in a later one; what it brings late is not counted: it %s", async (_how, signal) => {
    let pid = 0;
    const disturbed = await run(async (event) => {
      if (event.type === "round-opened" && event.round === missed) {
        pid = await eventually("the site runs", () => federation.pidOf(late));
        process.kill(pid, "SIGSTOP");
      }
      if (event.type === "round-closed" && event.round === missed) process.kill(pid, signal);
    });
    const closed = disturbed.filter((event) => event.type === "round-closed");
    expect(closed.map(({ round }) => round)).toEqual([0, 1, 2, 3]);
    expect(closed[missed]).toMatchObject({ contributors: others, missing: [late] });
    expect(closed.at(-1)).toMatchObject({ contributors: sites, missing: [] });
    const updates = disturbed.flatMap((event) => (event.type === "update-accepted" ? [`${event.round}/${event.site}`] : []));
    expect(new Set(updates).size).toBe(updates.length);
    expect(updates).not.toContain(`${missed}/${late}`);
    expect(modelOf(disturbed)).toBe(modelOf(undisturbed));
    expect(disturbed.at(-1)).toEqual(undisturbed.at(-1));
  });
});

async function run(onEvent: (event: JobEvent) => Promise<void> = () => Promise.resolve()): Promise<JobEvent[]> {
  const admin = await federation.admin();
  const { jobId } = await admin.submitJob(folder);
  admin.close();
  const entries = await followJob(federation, jobId, async ({ event }) => {
    await onEvent(event);
    if (event.type === "round-opened" && event.round === missed) await letGo(federation, jobId, late, missed);
    if (event.type === "update-accepted" && event.site === late && event.round === last) {
      for (const site of others) await letGo(federation, jobId, site, last);
    }
  });
  return entries.map(({ event }) => event);
}

function modelOf(events: readonly JobEvent[]): string {
  const ended = events.find((event) => event.type === "workflow-ended");
  return ended === undefined ? "none" : ended.model.hash;
}
