import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JournalEntry } from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { letGo, writeAddOneJob } from "./add-one-job.js";
import { eventually } from "./eventually.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";
import { descendantsOf, processesWith } from "./process-tree.js";

const rounds = 4;
const disturbed = 1;
const sites = ["site-1", "site-2"];
let federation: Federation;
let jobFolder: string;
let undisturbed: string;

beforeAll(async () => {
  jobFolder = await mkdtemp(join(tmpdir(), "flare-job-"));
  await writeAddOneJob({
    folder: jobFolder,
    rounds,
    // The round in which somebody is killed lasts until that is done.
    holds: Object.fromEntries(sites.map((site) => [site, [disturbed]])),
    parameters: 1000,
    minClients: sites.length,
    args: { min_clients: sites.length },
  });
  federation = await createFederation({ sites });
  await federation.startAll();
  undisturbed = await runJob();
});

afterAll(async () => {
  await federation.dispose();
  await rm(jobFolder, { recursive: true, force: true });
});

describe("a job whose processes are killed in the middle of a round ends with the bytes of an undisturbed run", () => {
  it.each<[string, () => number | undefined]>([
    ["the server's parent process", () => federation.pidOf("server")],
    ["a site's parent process", () => federation.pidOf("site-1")],
    ["the server's job process", () => jobProcessOf("server", "server-job-main")],
    ["a site's job process", () => jobProcessOf("site-2", "site-job-main")],
    ["a trainer", () => jobProcessOf("site-1", "train.js")],
  ])("when the victim is %s", async (_victim, findPid) => {
    expect(await runJob(findPid)).toBe(undisturbed);
  });

  it("and when everything is stopped, no process is left", async () => {
    await Promise.all([...sites, "server"].map((name) => federation.stop(name)));
    expect(processesWith(federation.folder)).toEqual([]);
  });
});

/** Runs the job, kills the process that `findVictim` finds while all sites train, and gives the hash of the result. */
async function runJob(findVictim?: () => number | undefined): Promise<string> {
  const admin = await federation.admin();
  const { jobId } = await admin.submitJob(jobFolder);
  admin.close();
  let isKilled = false;
  const entries = await followJob(federation, jobId, async ({ event }) => {
    if (event.type !== "round-opened" || event.round !== disturbed) return;
    if (findVictim !== undefined) {
      isKilled = true;
      process.kill(await eventually("the victim runs", findVictim), "SIGKILL");
    }
    for (const site of sites) await letGo(federation, jobId, site, disturbed);
  });
  const failures = entries.map(({ event }) => event).filter(({ type }) => type === "task-failed" || type === "site-left");
  expect({ ...entries.at(-1)?.event, failures }).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED", failures: [] });
  expect(isKilled).toBe(findVictim !== undefined);
  expectEachUpdateOnce(entries);
  return resultHash(entries);
}

function expectEachUpdateOnce(entries: readonly JournalEntry[]): void {
  const updates = entries.flatMap(({ event }) => (event.type === "update-accepted" ? [`${event.round}/${event.site}`] : []));
  expect(updates.sort()).toEqual(
    Array.from({ length: rounds }, (_, round) => sites.map((site) => `${round}/${site}`))
      .flat()
      .sort(),
  );
}

function resultHash(entries: readonly JournalEntry[]): string {
  const ended = entries.find(({ event }) => event.type === "workflow-ended")?.event;
  return ended?.type === "workflow-ended" ? ended.model.hash : "none";
}

function jobProcessOf(name: string, text: string): number | undefined {
  const parent = federation.pidOf(name);
  return parent === undefined ? undefined : descendantsOf(parent).find((entry) => entry.commandLine.includes(text))?.pid;
}
