import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobEvent } from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeAddOneJob } from "./add-one-job.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";

let federation: Federation;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-job-"));
  federation = await createFederation({ sites: ["site-1", "site-2", "site-3"] });
  await federation.startAll();
});

afterAll(async () => {
  await federation.dispose();
  await rm(folder, { recursive: true, force: true });
});

async function run(name: string, init: Omit<Parameters<typeof writeAddOneJob>[0], "folder">): Promise<JobEvent[]> {
  const jobFolder = join(folder, name);
  await writeAddOneJob({ folder: jobFolder, ...init });
  const admin = await federation.admin();
  const { jobId } = await admin.submitJob(jobFolder);
  admin.close();
  return (await followJob(federation, jobId)).map((entry) => entry.event);
}

describe("a round with quorum and deadline", () => {
  it("closes without a site that never answers, and the others go on", async () => {
    const events = await run("silent", { rounds: 2, silentSite: "site-3", minClients: 2, args: { min_clients: 2, train_timeout: 1.5 } });
    const closed = events.filter((event) => event.type === "round-closed");
    expect(closed.map(({ contributors, missing }) => ({ contributors, missing }))).toEqual([
      { contributors: ["site-1", "site-2"], missing: ["site-3"] },
      { contributors: ["site-1", "site-2"], missing: ["site-3"] },
    ]);
    expect(events.at(-1)).toEqual({
      type: "job-ended",
      status: "FINISHED:COMPLETED",
      reason: expect.stringContaining("rounds are done") as string,
    });
  });

  it("goes on without a site whose trainer fails, and names the error", async () => {
    const events = await run("failing", { rounds: 1, failingSite: "site-2", minClients: 2, args: { min_clients: 2 } });
    const failed = events.find((event) => event.type === "task-failed");
    expect(failed).toMatchObject({ site: "site-2", error: { code: "client-api/trainer-died" } });
    // What a trainer prints stays at its site.
    expect(JSON.stringify(events)).not.toContain("this trainer fails on purpose");
    expect(await readFile(join(federation.kitOf("site-2"), "log.json"), "utf8")).toContain("this trainer fails on purpose");
    expect(events.at(-1)).toEqual({
      type: "job-ended",
      status: "FINISHED:COMPLETED",
      reason: expect.stringContaining("rounds are done") as string,
    });
  });

  it("fails the job when so many sites fail that the quorum cannot be reached", async () => {
    const events = await run("lost", { rounds: 1, failingSite: "site-2", minClients: 3, args: { min_clients: 3 } });
    const ended = events.at(-1);
    expect(ended).toMatchObject({ type: "job-ended", status: "FINISHED:EXECUTION_EXCEPTION" });
    expect(JSON.stringify(ended)).toContain("site-2");
  });
});
