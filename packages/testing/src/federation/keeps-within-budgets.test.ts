import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { letGo, writeAddOneJob } from "./add-one-job.js";
import { eventually } from "./eventually.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";

const mebibyte = 2 ** 20;

describe("a server with little", () => {
  const sites = ["site-1", "site-2", "site-3"];
  let federation: Federation;
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "flare-budgets-"));
    federation = await createFederation({ sites });
  });
  afterEach(async () => {
    await federation.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  /** Sets what a participant may hold, as its operator would. */
  async function budget(name: string, settings: Readonly<Record<string, string | number>>): Promise<void> {
    const path = join(federation.kitOf(name), "local", "resources.json");
    const kept = JSON.parse(await readFile(`${path}.default`, "utf8")) as object;
    await writeFile(path, JSON.stringify({ ...kept, ...settings }));
  }

  async function logOf(name: string): Promise<string> {
    return await readFile(join(federation.kitOf(name), "log.json"), "utf8");
  }

  it("of disk lets updates in one after the other, says so, and ends the job as with much", async () => {
    // A model of 4 MiB: the job's file, an update of each site, and room for the next model do not fit at once.
    const modelBytes = 4 * mebibyte;
    await budget("server", { max_disk: 3 * modelBytes + 3 * mebibyte });
    await federation.startAll();
    await writeAddOneJob({ folder: join(folder, "job"), rounds: 1, parameters: modelBytes / 4, minClients: 3, addsOwnNumber: true });
    const admin = await federation.admin();
    const { jobId } = await admin.submitJob(join(folder, "job"));
    const waiting = await eventually("an update waits", async () => {
      const { waitingTransfers = [] } = await admin.status();
      return waitingTransfers.length > 0 ? waitingTransfers : undefined;
    });
    // How much is taken may change between two looks, while another update comes in.
    const reason: unknown = expect.stringMatching(/4\.0 MiB are wanted, and of --max-disk 15 MiB .* are taken/);
    expect(waiting[0]).toMatchObject({ what: "upload", reason });
    const { progress } = await admin.jobMeta(jobId);
    expect(progress[waiting[0]?.who ?? ""]).toMatchObject({ phase: "waiting", reason });
    const { budget: told } = await admin.status();
    expect(told).toMatchObject({ maxDiskBytes: 15 * mebibyte, usedDiskBytes: expect.any(Number) });
    expect(told?.usedDiskBytes ?? 0).toBeLessThanOrEqual(15 * mebibyte);
    await eventually("the log says so", async () => (await logOf("server")).includes("waits for room") || undefined);
    // The operator gives it more, and what waited goes on by itself.
    await federation.stop("server");
    admin.close();
    await budget("server", { max_disk: "1GiB" });
    await federation.start("server");
    const entries = await followJob(federation, jobId);
    expect(entries.at(-1)?.event).toMatchObject({ status: "FINISHED:COMPLETED" });
    const closed = entries.find(({ event }) => event.type === "round-closed")?.event;
    expect(closed).toMatchObject({ contributors: sites, missing: [] });
  });

  it("of memory runs jobs one after the other, and says which waits for what", async () => {
    await budget("server", { max_memory: "300MiB" });
    await federation.startAll();
    await writeAddOneJob({ folder: join(folder, "job"), rounds: 2, trainMs: 300 });
    const admin = await federation.admin();
    const { jobId: first } = await admin.submitJob(join(folder, "job"));
    const { jobId: second } = await admin.submitJob(join(folder, "job"));
    const reason = "1 of 1 jobs run, as many as --max-memory 300 MiB lets";
    const waiting = await eventually("a job waits", async () => {
      const { waitingJobs = [] } = await admin.status();
      return waitingJobs.find(({ jobId }) => jobId === second);
    });
    expect(waiting).toEqual({ jobId: second, reason });
    expect(await admin.jobMeta(second)).toMatchObject({ status: "SUBMITTED", reason });
    admin.close();
    for (const jobId of [first, second]) {
      expect((await followJob(federation, jobId)).at(-1)?.event).toMatchObject({ status: "FINISHED:COMPLETED" });
    }
  });

  it("is not started with less than one job needs", async () => {
    await budget("server", { max_memory: "100MiB" });
    await expect(federation.start("server")).rejects.toMatchObject({
      code: "runtime/start-failed",
      problems: expect.arrayContaining([expect.objectContaining({ message: expect.stringContaining("runtime/budget-too-small") })]),
    });
  });
});

describe("a site with little memory", () => {
  it("runs jobs one after the other, and tells the server which waits", async () => {
    const federation = await createFederation({ sites: ["site-1"] });
    const folder = await mkdtemp(join(tmpdir(), "flare-budgets-"));
    try {
      const resources = { format_version: 2, components: [], max_memory: "240MiB" };
      await writeFile(join(federation.kitOf("site-1"), "local", "resources.json"), JSON.stringify(resources));
      await federation.startAll();
      // The first is at work until the second was seen to wait.
      await writeAddOneJob({ folder, rounds: 1, holds: { "site-1": [0] } });
      const admin = await federation.admin();
      const { jobId: first } = await admin.submitJob(folder);
      await eventually("the first job runs", async () => ((await admin.jobMeta(first)).status === "RUNNING" ? true : undefined));
      const { jobId: second } = await admin.submitJob(folder);
      const reason = "1 are under way, as many as --max-memory 240 MiB lets in";
      await eventually("the second waits at the site, and says why", async () => {
        const progress = (await admin.jobMeta(second)).progress["site-1"];
        return progress?.phase === "waiting" && progress.reason === reason;
      });
      admin.close();
      for (const jobId of [first, second]) {
        await letGo(federation, jobId, "site-1", 0);
        expect((await followJob(federation, jobId)).at(-1)?.event).toMatchObject({ status: "FINISHED:COMPLETED" });
      }
    } finally {
      await federation.dispose();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
