import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeAddOneJob } from "./add-one-job.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";

const frozenParameters = 500_000;
const frozenBytes = 4 * frozenParameters;
const sites = ["site-1", "site-2"];
let federation: Federation;
let jobFolder: string;

beforeAll(async () => {
  jobFolder = await mkdtemp(join(tmpdir(), "flare-job-"));
  await writeAddOneJob({
    folder: jobFolder,
    rounds: 3,
    parameters: 1000,
    frozenParameters,
    minClients: sites.length,
    args: { min_clients: sites.length },
  });
  federation = await createFederation({ sites });
  await federation.startAll();
});

afterAll(async () => {
  await federation.dispose();
  await rm(jobFolder, { recursive: true, force: true });
});

it("a job with a frozen layer sends it to each site once, and never back", async () => {
  const admin = await federation.admin();
  const { jobId } = await admin.submitJob(jobFolder);
  admin.close();
  const entries = await followJob(federation, jobId);
  expect(entries.at(-1)?.event).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED" });
  const updates = entries.flatMap(({ event }) => (event.type === "update-accepted" ? [event] : []));
  expect(updates).toHaveLength(6);
  for (const { update, transfer } of updates) {
    expect(update.size).toBeGreaterThan(frozenBytes);
    expect(transfer?.sentBytes).toBeLessThan(3 * 64 * 1024);
  }
  // The trainers of both sites come to the same bytes: of each round one upload at least copies, and another may find them there.
  for (const round of [0, 1, 2]) {
    const copied = updates.filter((update) => update.round === round).map(({ transfer }) => transfer?.copiedBytes ?? 0);
    expect(Math.max(...copied)).toBeGreaterThan(frozenBytes - 2 * 64 * 1024);
  }
  for (const site of sites) {
    const fetched = await fetchedModels(site);
    expect(fetched.map(({ sentBytes }) => sentBytes < 3 * 64 * 1024)).toEqual([false, true, true]);
  }
});

/** What a site's log says of the models that it fetched. */
async function fetchedModels(site: string): Promise<readonly { readonly bytes: number; readonly sentBytes: number }[]> {
  const text = await readFile(join(federation.kitOf(site), "log.json"), "utf8");
  const lines = text.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Record<string, unknown>] : []));
  return lines.filter(({ message }) => message === "object fetched") as never;
}
