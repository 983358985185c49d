import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { adminName, createSmallFederation, otherAdminName, type SmallFederation } from "../process/small-federation.test-support.js";
import { type RunningServer, startServer } from "../server/start-server.js";
import type { AdminSession } from "./admin-session.js";
import { connectAdmin } from "./connect-admin.js";

let federation: SmallFederation;
let server: RunningServer;
let admin: AdminSession;
let member: AdminSession;

beforeAll(async () => {
  federation = await createSmallFederation({ otherRole: "member" });
  server = await startServer({ kitDir: federation.kitDir("localhost") });
  admin = await connectAdmin({ kitDir: federation.kitDir(adminName) });
  member = await connectAdmin({ kitDir: federation.kitDir(otherAdminName) });
});

afterAll(async () => {
  admin.close();
  member.close();
  await server.stop();
  await federation.dispose();
});

const jobId = "3f0c9a52-6f0e-4e0a-9d2b-0f8f5a4a7b11";

it("a job that is submitted again under its id, for want of an answer, is the same job; with other files it is refused", async () => {
  const folder = await federation.writeJob(["site-1"]);
  const first = await admin.submitJob(folder, { jobId: jobId.toUpperCase() });
  expect(first).toEqual({ jobId });
  expect(await admin.submitJob(folder, { jobId })).toEqual(first);
  expect(await admin.listJobs()).toHaveLength(1);
  const other = await federation.writeJob(["site-2"]);
  await writeFile(join(other, "app", "custom", "more.ts"), "");
  await expect(admin.submitJob(other, { jobId })).rejects.toMatchObject({ code: "job/id-taken" });
});

it("a job that is submitted again with the token of its submitter is the same job, is found by it, and is another for somebody else", async () => {
  const folder = await federation.writeJob(["site-1"]);
  const submitToken = "nightly-7";
  const first = await admin.submitJob(folder, { submitToken });
  expect(await admin.submitJob(folder, { submitToken })).toEqual(first);
  expect((await admin.listJobs({ submitToken })).map((job) => job.jobId)).toEqual([first.jobId]);
  expect(await member.listJobs({ submitToken })).toEqual([]);
  const other = await federation.writeJob(["site-2"]);
  await writeFile(join(other, "app", "custom", "more.ts"), "");
  await expect(admin.submitJob(other, { submitToken })).rejects.toMatchObject({ code: "job/id-taken" });
  await admin.abortJob(first.jobId);
  await admin.deleteJob(first.jobId);
  expect(await admin.submitJob(other, { submitToken })).toEqual(first);
  expect(await admin.jobMeta(first.jobId)).toMatchObject({ status: "SUBMITTED" });
});

it("a job is aborted once; whoever comes later is told that it was over", async () => {
  expect(await admin.jobMeta(jobId.toUpperCase())).toMatchObject({ jobId });
  expect(await admin.abortJob(jobId, "first")).toEqual({ status: "FINISHED:ABORTED", wasOver: false });
  expect(await admin.abortJob(jobId, "second")).toEqual({ status: "FINISHED:ABORTED", wasOver: true });
  expect((await admin.jobMeta(jobId)).reason).toBe(`aborted by ${adminName}: first`);
});

it("an admin who may submit no job is told so before anything is sent, and the audit log tells it", async () => {
  const refusal = { code: "auth/not-authorized", message: expect.stringContaining("may not submit_job") };
  await expect(member.submitJob(await federation.writeJob(["site-1"]))).rejects.toMatchObject(refusal);
  const lines = (await readFile(join(federation.kitDir("localhost"), "audit.log"), "utf8")).trim().split("\n");
  expect(lines.map((line) => JSON.parse(line) as object)).toContainEqual(
    expect.objectContaining({ who: otherAdminName, action: "submit_job", outcome: "refused", code: "auth/not-authorized" }),
  );
});

it("a refusal names the right that is needed", async () => {
  await expect(member.jobLogs(jobId)).rejects.toThrow("may not read_job_output here, which needs the right download_job.");
  await expect(member.studies.register("lungs", { sites: [] })).rejects.toThrow("it is for a project_admin or an org_admin");
});

it("arguments that nobody can take are the caller's mistake, not that of a peer", async () => {
  const mistake = { code: "runtime/invalid-argument" };
  await expect(admin.jobMeta("nope")).rejects.toMatchObject(mistake);
  await expect(admin.listJobs({ limit: 0 })).rejects.toMatchObject(mistake);
  await expect(admin.abortJob(jobId, "r".repeat(501))).rejects.toMatchObject(mistake);
  await expect(admin.downloadJob("../..", federation.folder)).rejects.toMatchObject(mistake);
  await expect(admin.submitJob(await federation.writeJob([]), { jobId: "nope" })).rejects.toMatchObject(mistake);
});

it("a result that is there already is refused before anything is asked", async () => {
  await writeFile(join(federation.folder, jobId), "");
  await expect(admin.downloadJob(jobId, federation.folder)).rejects.toMatchObject({ code: "file/exists" });
});

it("a submission goes on at a server that was stopped and started meanwhile, and forgot who has sent it what", async () => {
  let restarted: Promise<void> | undefined;
  const restart = async (): Promise<void> => {
    await server.stop();
    server = await startServer({ kitDir: federation.kitDir("localhost") });
  };
  const folder = await federation.writeJob(["site-1"]);
  for (let i = 0; i < 30; i += 1) await writeFile(join(folder, "app", "custom", `part-${i}.ts`), `// ${i}`);
  const sent = new Set<string>();
  const { jobId: id } = await admin.submitJob(folder, {
    onProgress: ({ file, doneBytes, totalBytes }) => {
      if (doneBytes === totalBytes) sent.add(file);
      // Some files are there by then, and the rest are not.
      if (sent.size > 1) restarted ??= restart();
    },
  });
  expect(restarted).toBeDefined();
  await restarted;
  expect(await admin.jobMeta(id)).toMatchObject({ jobId: id, status: "SUBMITTED" });
});

it("whoever changes their mind before the session is open is told that, and not of a fault", async () => {
  const attempt = connectAdmin({ kitDir: federation.kitDir(adminName), signal: AbortSignal.abort() });
  await expect(attempt).rejects.toMatchObject({ code: "internal/aborted" });
});

it("the signal of the attempt to connect says nothing of the session", async () => {
  const controller = new AbortController();
  const session = await connectAdmin({ kitDir: federation.kitDir(adminName), signal: controller.signal });
  controller.abort();
  expect((await session.status()).server.name).toBe("localhost");
  session.close();
});
