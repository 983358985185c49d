import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { OutputArchive } from "../output/output-archive.js";
import { openSqliteServerStore } from "../store/sqlite-server-store.js";
import { JobDeletion } from "./job-deletion.js";
import { JobTable } from "./job-table.js";
import { JournalHub } from "./journal-hub.js";

const jobId = "0b0e7c1c-5f0e-4a52-9a3f-5f5a4f4a7a12";

it("a job whose deletion was broken off is still there to be deleted, with what is left of it", async () => {
  const workspace = await mkdtemp(join(tmpdir(), "flare-deletion-"));
  const store = await openSqliteServerStore({ path: join(workspace, "server.db") });
  onTestFinished(async () => {
    await store.close();
    await rm(workspace, { recursive: true });
  });
  const submitter = { submitterName: "ann@a.org", submitterOrg: "a", submitterRole: "lead", submitTimeMs: 0 };
  await store.addJob({ jobId, name: "job", study: "default", ...submitter, signedJob: { hash: "a".repeat(64) as never, size: 1 } });
  const archive = new OutputArchive({ folder: join(workspace, "job-output") });
  await archive.add(jobId, { metrics: [], lines: [{ atMs: 0, site: "site-1", source: "trainer", text: "a line" }], dropped: 0 });
  await mkdir(join(workspace, jobId));
  await writeFile(join(workspace, jobId, "log.txt"), "a line");
  const hub = new JournalHub({ store, now: Date.now });
  const revokeJob = vi.fn();
  const deletion = new JobDeletion(
    { hub, jobs: new JobTable(), store, grants: { revokeJob }, retention: { release: async () => undefined }, archive },
    { workspace },
  );
  await expect(deletion.delete(jobId)).rejects.toMatchObject({ code: "job/not-over" });
  expect(existsSync(join(workspace, jobId, "log.txt"))).toBe(true);
  await store.updateJob(jobId, { status: "FINISHED:COMPLETED" });
  vi.spyOn(archive, "remove").mockRejectedValueOnce(new Error("the disk does not answer"));
  await expect(deletion.delete(jobId)).rejects.toThrow("the disk does not answer");
  await deletion.delete(jobId);
  expect(existsSync(join(workspace, jobId))).toBe(false);
  expect(existsSync(join(workspace, "job-output", jobId))).toBe(false);
  expect(revokeJob).toHaveBeenCalledWith(jobId);
  await expect(deletion.delete(jobId)).rejects.toMatchObject({ code: "job/not-found" });
});
