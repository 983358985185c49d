import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { contentHashSchema, FlareError } from "@flare-ts/contracts";
import { TrustKeeper } from "@flare-ts/provision/kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AdminSession } from "../admin/admin-session.js";
import { signCommand } from "../admin/signed-command.js";
import { readJobFolder } from "../job/read-job-folder.js";
import { createSignedJob, verifySignedJob } from "../job/signed-job.js";
import { adminName, otherAdminName } from "../process/small-federation.test-support.js";
import { FileModelStore } from "../store/file-model-store.js";
import { TransferClient } from "../transfer/transfer-client.js";
import { objectFromWire } from "../transport/wire-values.js";
import { codeOf, first, StudyFederation, type StudySessions } from "./study-federation.test-support.js";

let studies: StudyFederation;
let sessions: StudySessions;
let lungsJob: string;

beforeAll(async () => {
  studies = await StudyFederation.create();
  ({ sessions } = studies);
  lungsJob = await studies.run(sessions.lungs);
});
afterAll(() => studies.dispose());

describe("a study", () => {
  it("is entered by its users alone; for others it is as if it were not there", async () => {
    const refused = async (name: string, study: string) => {
      const error = FlareError.from(await studies.connect(name, study).catch((reason: unknown) => reason));
      return { code: error.code, message: error.message.replaceAll(study, "…") };
    };
    expect(await refused(otherAdminName, "lungs")).toEqual(await refused(otherAdminName, "nowhere"));
    expect(await refused(otherAdminName, "constructor")).toMatchObject({ code: "study/unknown" });
    expect(await refused(otherAdminName, "Not A Name")).toMatchObject({ code: "study/invalid-name" });
    // Who may see every study is told what is missing.
    expect(await refused(adminName, "hearts")).toMatchObject({ code: "study/not-a-member" });
    expect(sessions.lungs.study).toBe("lungs");
  });

  it("has its jobs run at its own sites, and says in their signature which one it is", async () => {
    expect(await sessions.lungs.jobMeta(lungsJob)).toMatchObject({ study: "lungs", sites: ["site-1"], status: "RUNNING" });
    expect(studies.deployed("site-2")).toEqual([]);
    await expect.poll(() => studies.deployed("site-1")).toEqual([lungsJob]);
    const { connection, heard } = studies.site("site-1");
    const [signed] = heard.flatMap(({ case: kind, value }) => (kind === "deploy" ? [objectFromWire(value.signedJob)] : []));
    if (signed === undefined) throw new TypeError("the job was not deployed");
    const models = await FileModelStore.open({ root: join(studies.federation.folder, "site") });
    const { path } = await new TransferClient({ store: models }).download(async () => connection, signed);
    const { trust } = await TrustKeeper.open(await studies.federation.kit("site-1"));
    expect(verifySignedJob({ bytes: await readFile(path), trust, nowMs: Date.now() }).manifest.study).toBe("lungs");
  });

  it.each([
    ["lungs", true, ["site-1"]],
    ["hearts", false, ["site-2"]],
    ["projectAdmin", false, ["site-1", "site-2"]],
    ["lead", false, ["site-1", "site-2"]],
  ] as const)("lists its own jobs, and shows its own sites, only: %s", async (who, isOwn, shown) => {
    const session = sessions[who];
    const jobs = isOwn ? [lungsJob] : [];
    expect((await session.listJobs()).map(({ jobId }) => jobId)).toEqual(jobs);
    expect((await session.listJobs({ idPrefix: lungsJob.slice(0, 8) })).map(({ jobId }) => jobId)).toEqual(jobs);
    const status = await session.status();
    expect(status).toMatchObject({ runningJobs: jobs, waitingJobs: [], waitingTransfers: [] });
    expect(status.sites.map(({ name }) => name)).toEqual(shown);
    expect(status.sites.flatMap((site) => site.jobs)).toEqual(jobs);
    const change = await first(session.watchSystem());
    expect(change?.sites.map(({ name }) => name)).toEqual(shown);
    expect(change?.jobs.map(({ jobId }) => jobId)).toEqual(jobs);
  });

  const commands: readonly [string, (session: AdminSession, jobId: string) => Promise<unknown>][] = [
    ["meta data", (session, jobId) => session.jobMeta(jobId)],
    ["abort", (session, jobId) => session.abortJob(jobId)],
    ["download", (session, jobId) => session.downloadJob(jobId, studies.federation.folder)],
    ["clone", (session, jobId) => session.cloneJob(jobId)],
    ["delete", (session, jobId) => session.deleteJob(jobId)],
    ["receipts", (session, jobId) => session.receipts(jobId)],
    ["events", (session, jobId) => session.jobEvents(jobId)],
    ["metrics", (session, jobId) => session.jobMetrics(jobId)],
    ["logs", (session, jobId) => session.jobLogs(jobId)],
    ["watching", (session, jobId) => first(session.watchJob(jobId))],
    ["watching output", (session, jobId) => first(session.watchJobOutput(jobId, { metricsAfter: 0, linesAfter: 0 }))],
    ["watching metrics", (session, jobId) => first(session.watchJobOutput(jobId, { metricsAfter: 0 }))],
  ];
  it.each(commands)("answers as for a job that is not there when it is asked for one of another study: %s", async (_what, ask) => {
    const refusal = async (session: AdminSession, jobId: string): Promise<string> => {
      const answer = await ask(session, jobId).then(
        () => "answered",
        (reason: unknown) => JSON.stringify(FlareError.from(reason).toJSON()),
      );
      return answer.replaceAll(jobId, "<job>");
    };
    for (const session of [sessions.hearts, sessions.projectAdmin, sessions.lead]) {
      const refused = await refusal(session, lungsJob);
      expect(refused).not.toBe("answered");
      expect(refused).toBe(await refusal(session, randomUUID()));
    }
    expect(await sessions.lungs.jobMeta(lungsJob)).toMatchObject({ status: "RUNNING" });
  });

  it("refuses a job that names a site outside, or that its meta.json means for another study", async () => {
    const submit = async (meta: Readonly<Record<string, unknown>>): Promise<string> =>
      await codeOf(sessions.lungs.submitJob(await studies.writeJob(meta)));
    expect(await submit({ deploy_map: { app: ["server", "site-1", "site-2"] } })).toBe("job/outside-study");
    // A site that is not there is refused in the same way.
    expect(await submit({ deploy_map: { app: ["server", "site-9"] } })).toBe("job/outside-study");
    expect(await submit({ mandatory_clients: ["site-2"] })).toBe("job/outside-study");
    expect(await submit({ study: "hearts" })).toBe("job/wrong-study");
    expect(await sessions.lungs.listJobs()).toHaveLength(1);
  });

  it("does not tell by its hash whether it has a file, and takes none into a job that is named only", async () => {
    const connection = await studies.federation.dial(otherAdminName);
    const folder = await readJobFolder(await studies.writeJob());
    // The file of every job of this test that has run in the other study.
    const file = folder.files.find(({ path }) => path === "app/custom/train.ts");
    if (file === undefined) throw new TypeError("the job has no script");
    const held = { hash: file.sha256, size: file.size };
    const absent = { hash: contentHashSchema.parse("0".repeat(64)), size: file.size };
    expect(await connection.stat(held)).toEqual(await connection.stat(absent));
    const { keys } = connection;
    const init = { folder, jobId: randomUUID(), project: "small", study: "hearts", submitter: keys, nowMs: Date.now() };
    const models = await FileModelStore.open({ root: join(studies.federation.folder, "lead") });
    const transfer = new TransferClient({ store: models });
    const signed = await models.importBytes(createSignedJob(init));
    await transfer.upload(async () => connection, signed);
    const args = { signed_job: { hash: signed.hash, size: signed.size } };
    const { sessionId } = connection;
    const submit = () => connection.execute(signCommand({ verb: "submit_job", args, ...init, ...keys, sessionId, nowMs: Date.now() }));
    await expect(submit()).rejects.toMatchObject({
      code: "job/files-missing",
      facts: { files: expect.arrayContaining([file.path]) as unknown },
    });
    for (const each of folder.files) await transfer.upload(async () => connection, await models.importFile(each.absolutePath));
    expect(await connection.stat(held)).toMatchObject({ isComplete: true });
    // What a refused job held is gone with it.
    await transfer.upload(async () => connection, signed);
    await submit();
    await sessions.hearts.abortJob(init.jobId);
  });

  it("shows nobody else what waits in it", async () => {
    const { jobId } = await sessions.hearts.submitJob(await studies.writeJob({ min_clients: 2 }));
    const waiting = [{ jobId, reason: "waits for sites: 1 of 2 are connected" }];
    await expect.poll(async () => (await sessions.hearts.status()).waitingJobs).toEqual(waiting);
    for (const session of [sessions.lungs, sessions.projectAdmin]) expect((await session.status()).waitingJobs).toEqual([]);
  });
});
