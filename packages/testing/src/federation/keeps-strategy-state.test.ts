import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JournalEntry } from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { letGo, writeAddOneJob } from "./add-one-job.js";
import { eventually } from "./eventually.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";
import { descendantsOf } from "./process-tree.js";

const rounds = 4;
const sites = ["site-1", "site-2"];
/** The site whose update ends a round. */
const last = "site-2";
let federation: Federation;
let jobFolder: string;
let undisturbed: string;

beforeAll(async () => {
  jobFolder = await mkdtemp(join(tmpdir(), "flare-job-"));
  await writeAddOneJob({
    folder: jobFolder,
    rounds,
    // Each round lasts until its process was killed.
    holds: { [last]: [0, 1, 2, 3] },
    parameters: 1000,
    minClients: sites.length,
    args: { min_clients: sites.length, strategy: "fed-adam", strategy_args: { learningRate: 0.1 } },
  });
  federation = await createFederation({ sites });
  await federation.startAll();
  undisturbed = await runJob();
});

afterAll(async () => {
  await federation.dispose();
  await rm(jobFolder, { recursive: true, force: true });
});

describe("a job whose strategy keeps state between rounds ends with the bytes of an undisturbed run", () => {
  it("when the server's job process is killed in each round", async () => {
    expect(await runJob(jobProcess, [0, 1, 2, 3])).toBe(undisturbed);
  });

  it("when the server is killed, which holds the state", async () => {
    expect(await runJob(() => federation.pidOf("server"), [2])).toBe(undisturbed);
  });
});

/** Runs the job, kills the process that `findVictim` finds once in each round of `when`, and gives the hash of the result. */
async function runJob(findVictim: () => number | undefined = () => undefined, when: readonly number[] = []): Promise<string> {
  const admin = await federation.admin();
  const { jobId } = await admin.submitJob(jobFolder);
  admin.close();
  const killed: number[] = [];
  const entries = await followJob(federation, jobId, async ({ event }) => {
    if (event.type !== "update-accepted" || event.site === last) return;
    if (when.includes(event.round)) {
      killed.push(event.round);
      process.kill(await eventually("the victim runs", findVictim), "SIGKILL");
    }
    await letGo(federation, jobId, last, event.round);
  });
  expect(killed).toEqual(when);
  expect(entries.at(-1)?.event).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED" });
  expect(statesOf(entries)).toEqual(Array.from({ length: rounds }, () => ["momentum", "variance"]));
  const ended = entries.find(({ event }) => event.type === "workflow-ended")?.event;
  return ended?.type === "workflow-ended" ? ended.model.hash : "none";
}

/** Names of what the strategy kept, by round. */
function statesOf(entries: readonly JournalEntry[]): readonly string[][] {
  return entries.flatMap(({ event }) => (event.type === "round-closed" ? [Object.keys(event.state ?? {}).sort()] : []));
}

function jobProcess(): number | undefined {
  const parent = federation.pidOf("server");
  return parent === undefined ? undefined : descendantsOf(parent).find(({ commandLine }) => commandLine.includes("server-job-main"))?.pid;
}
