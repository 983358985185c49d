import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JournalEntry } from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeAddOneJob } from "./add-one-job.js";
import { eventually } from "./eventually.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";
import { processesWith } from "./process-tree.js";

const sites = ["site-1", "site-2"];
const parameters = 6_000_000;
let folder: string;
let federation: Federation;
let direct: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-job-"));
  const args = { min_clients: sites.length };
  await writeAddOneJob({ folder: join(folder, "job"), rounds: 3, parameters, addsOwnNumber: true, minClients: sites.length, args });
  const without = await createFederation({ sites });
  try {
    await without.startAll();
    direct = (await runJob(without)).result;
  } finally {
    await without.dispose();
  }
  federation = await createFederation({
    sites,
    relays: { "relay-1": "server", "relay-2": "relay-1" },
    settings: { perSite: { "site-1": { connect_to: { name: "relay-1" } }, "site-2": { connect_to: { name: "relay-2" } } } },
  });
  await federation.startAll();
});

afterAll(async () => {
  await federation.dispose();
  await rm(folder, { recursive: true, force: true });
});

describe("a job whose sites are behind a tree of relays", () => {
  it("ends with the bytes of the same job without relays", async () => {
    expect((await runJob(federation)).result).toBe(direct);
  });

  it("does so when a relay is killed in the middle of an upload, and what has arrived is not sent again", async () => {
    let killed: Promise<void> | undefined;
    const { result, entries } = await runJob(federation, () => {
      killed = killInUpload("relay-1");
    });
    await killed;
    expect(result).toBe(direct);
    const uploads = entries.flatMap(({ event }) => (event.type === "update-accepted" && event.round >= 1 ? [event] : []));
    expect(uploads).toHaveLength(2 * sites.length);
    for (const { transfer, update } of uploads) expect(transfer?.sentBytes).toBeLessThan(1.6 * update.size);
  });

  it("and when everything is stopped, no process is left", async () => {
    await Promise.all([...sites, "relay-1", "relay-2", "server"].map((name) => federation.stop(name)));
    expect(processesWith(federation.folder)).toEqual([]);
  });
});

/** Runs the job, begins to do something as soon as its second round is open, and gives the hash of the result with the journal. */
async function runJob(
  where: Federation,
  disturb?: () => void,
): Promise<{ readonly result: string; readonly entries: readonly JournalEntry[] }> {
  const admin = await where.admin();
  const { jobId } = await admin.submitJob(join(folder, "job"));
  admin.close();
  const entries = await followJob(where, jobId, ({ event }) => {
    if (event.type === "round-opened" && event.round === 1) disturb?.();
  });
  expect(entries.at(-1)?.event).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED" });
  const ended = entries.find(({ event }) => event.type === "workflow-ended")?.event;
  return { result: ended?.type === "workflow-ended" ? ended.model.hash : "none", entries };
}

/** Looks without a pause, and in each upload of two rounds: one is between its first checkpoint and its end for 10 ms or for 200. */
async function killInUpload(relay: string): Promise<void> {
  await eventually("an upload is under way", async () => (await largestUpload()) > 4_000_000, 30_000, 1);
  process.kill(await eventually("the relay runs", () => federation.pidOf(relay)), "SIGKILL");
}

/** How much the server has durably of the objects that it does not hold whole yet, at most. */
async function largestUpload(): Promise<number> {
  const partial = join(federation.kitOf("server"), "models", "partial");
  const records = (await readdir(partial).catch(() => [])).filter((name) => name.endsWith(".offset"));
  const texts = await Promise.all(records.map(async (name) => await readFile(join(partial, name), "utf8").catch(() => "")));
  return Math.max(0, ...texts.map((text) => Number(text.split(" ")[1] ?? 0)));
}
