import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { archiveFolder, extractArchive, kitLimits } from "@flare-ts/provision";
import { createFederation, eventually, type Federation, writeAddOneJob } from "@flare-ts/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { listAudit } from "../contract/audit.js";
import { getFederation } from "../contract/federation.js";
import {
  abortJob,
  cloneJob,
  deleteJob,
  downloadJobResult,
  getJob,
  getJobStatistics,
  listJobEvents,
  listJobLogs,
  listJobMetrics,
  listJobReceipts,
  listJobs,
  listJobTemplates,
  submitJobTemplate,
  uploadJob,
} from "../contract/jobs.js";
import { freezeProject, getProject } from "../contract/project.js";
import { startTestDashboard, type TestDashboard, type TestPerson } from "../test-dashboard.test-support.js";

const examples = fileURLToPath(new URL("../../../../examples/", import.meta.url));
/** Processes take their time on a machine with much to do. */
const patience = { timeout: 60_000 };
let federation: Federation;
let folder: string;
let archive: Uint8Array;
let dashboard: TestDashboard;
let lead: TestPerson;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-jobs-"));
  federation = await createFederation({ sites: ["site-1", "site-2"], settings: { project: { allow_log_streaming: true } } });
  await federation.startAll();
  await writeAddOneJob({ folder: join(folder, "add-one"), rounds: 2, minClients: 2 });
  const file = join(folder, "job.zip");
  await archiveFolder({ dir: join(folder, "add-one"), under: "add-one", file, modified: new Date(0) });
  archive = await readFile(file);
});
afterAll(async () => {
  await federation.dispose();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  dashboard = await startTestDashboard("SQLite", { adminKit: federation.adminKit, templatesFolder: examples });
  lead = await dashboard.person({ role: "lead", email: "lead@example.org", organization: "hospital_a" });
  await eventually("the dashboard reaches the server", async () => (await lead.call(getFederation)).link.isConnected);
});

const statusOf = async (person: TestPerson, id: string): Promise<string> => (await person.call(getJob, { params: { id } })).status;

describe("jobs of the dashboard", () => {
  it("are uploaded, run, and give journal, metrics, logs and result to whoever may have them", { timeout: 240_000 }, async () => {
    const member = await dashboard.person();
    const { id, may } = await lead.call(uploadJob, { body: archive });
    expect(may).toEqual(["abort", "clone"]);
    await expect.poll(() => statusOf(lead, id), patience).toBe("FINISHED:COMPLETED");
    const params = { id };
    expect(await lead.call(getJob, { params })).toMatchObject({
      name: "add-one",
      submitter: "lead@example.org",
      organization: "hospital_a",
      sites: ["site-1", "site-2"],
      may: ["clone", "delete", "download"],
    });
    expect(await member.call(getJob, { params })).toMatchObject({ may: [] });
    const { entries, hasMore } = await member.call(listJobEvents, { params, query: { limit: 3 } });
    expect([entries.map(({ seq }) => seq), hasMore]).toEqual([[1, 2, 3], true]);
    const rest = await member.call(listJobEvents, { params, query: { after: 3 } });
    expect(rest.entries.at(-1)).toMatchObject({ event: { type: "job-ended" } });
    const { receipts } = await member.call(listJobReceipts, { params });
    expect(receipts.map(({ isGood, receipt }) => [isGood, receipt?.contributions.map(({ site }) => site).toSorted()])).toEqual(
      receipts.map(() => [true, ["site-1", "site-2"]]),
    );
    expect(receipts.length).toBeGreaterThan(0);
    // Points of different sites come in any order, and a site's last ones perhaps after the job's end.
    const stepsOf = async (wanted: string): Promise<(number | null)[]> =>
      (await member.call(listJobMetrics, { params })).points
        .filter(({ key, site }) => key === "mean" && site === wanted)
        .map(({ step }) => step);
    for (const site of ["site-1", "site-2"]) await expect.poll(() => stepsOf(site), patience).toEqual([0, 10]);
    await expect.poll(async () => (await lead.call(listJobLogs, { params })).lines.length, patience).toBeGreaterThanOrEqual(4);
    expect((await lead.call(listJobLogs, { params, query: { site: "site-1" } })).lines.every(({ site }) => site === "site-1")).toBe(true);
    expect(await lead.call(getJobStatistics, { params })).toEqual({ statistics: [] });
    for (const route of [listJobLogs, downloadJobResult, getJobStatistics] as const) {
      await expect(member.call(route, { params })).rejects.toMatchObject({ code: "dashboard/not-allowed" });
    }
    const response = await lead.call(downloadJobResult, { params });
    expect(response.headers.get("content-disposition")).toMatch(/^attachment; filename="add-one-[0-9a-f]{8}\.zip"$/);
    const file = join(folder, `${id}.zip`);
    await writeFile(file, new Uint8Array(await response.arrayBuffer()));
    await extractArchive({ file, dir: join(folder, "result"), limits: kitLimits, privateKeys: "refused" });
    expect((await readFile(join(folder, "result", id, "models", "FL_global_model.safetensors"))).length).toBeGreaterThan(36);

    const copy = await lead.call(cloneJob, { params });
    expect(copy).toMatchObject({ name: "add-one", submitter: "lead@example.org" });
    await lead.call(deleteJob, { params });
    await expect(lead.call(getJob, { params })).rejects.toMatchObject({ code: "job/not-found" });
    const admin = await dashboard.person({ role: "project_admin" });
    const { entries: audit } = await admin.call(listAudit, { query: { action: "jobs", actor: "lead@example.org" } });
    expect(audit.map(({ action }) => action)).toEqual(["jobs.delete", "jobs.clone", "jobs.download", "jobs.submit"]);
    await expect.poll(() => statusOf(lead, copy.id), patience).toBe("FINISHED:COMPLETED");
  });

  it("come from templates with changes, and end when somebody who may says so", async () => {
    const { templates } = await lead.call(listJobTemplates);
    expect(templates.map(({ id, rounds, minSites }) => [id, rounds, minSites])).toEqual([
      ["breast-cancer", 15, 3],
      ["numpy-hello", 3, 2],
      ["digits-pytorch", 24, 3],
      ["slow-site", 200, 2],
      ["psi", null, 3],
    ]);
    await expect(lead.call(submitJobTemplate, { body: { template: "psi", rounds: 3 } })).rejects.toThrow(/no number of rounds to choose/);
    const { id } = await lead.call(submitJobTemplate, { body: { template: "breast-cancer", name: "my trial", minSites: 5 } });
    const other = await dashboard.person({ role: "lead", organization: "hospital_b" });
    const orgAdmin = await dashboard.person({ role: "org_admin", organization: "hospital_a" });
    const params = { id };
    await expect.poll(async () => (await lead.call(getJob, { params })).reason, patience).toContain("2 of 5");
    await expect(other.call(abortJob, { params, body: {} })).rejects.toMatchObject({ code: "dashboard/not-allowed" });
    await expect(lead.call(deleteJob, { params })).rejects.toMatchObject({ code: "job/not-over" });
    expect(await orgAdmin.call(abortJob, { params, body: { reason: "not now" } })).toMatchObject({
      status: "FINISHED:ABORTED",
      name: "my trial",
      reason: expect.stringContaining("not now") as string,
    });
    const { jobs, maySubmit } = await other.call(listJobs, { query: { name: "my" } });
    expect([jobs.map((job) => [job.id, job.may]), maySubmit]).toEqual([[[id, []]], true]);
    expect((await other.call(listJobs, { query: { mine: "true" } })).jobs).toEqual([]);
    expect((await orgAdmin.call(listJobs)).maySubmit).toBe(false);
    await expect(orgAdmin.call(submitJobTemplate, { body: { template: "numpy-hello" } })).rejects.toMatchObject({
      code: "dashboard/not-allowed",
    });
    await expect(lead.call(submitJobTemplate, { body: { template: "../../etc" } })).rejects.toMatchObject({ code: "dashboard/not-found" });
  });

  it("that are no jobs are refused with what is wrong, and leave nothing behind", async () => {
    const refusals = await Promise.all(
      [new Uint8Array([1, 2, 3]), new Uint8Array(0)].map(async (body) =>
        lead.call(uploadJob, { body }).catch((error: { code: string; status: number }) => [error.code, error.status]),
      ),
    );
    expect(refusals.every((refusal) => Array.isArray(refusal) && Number(refusal[1]) < 500)).toBe(true);
    await writeFile(join(folder, "note.txt"), "no job");
    const file = join(folder, "none.zip");
    await archiveFolder({ dir: join(folder, "add-one", "app"), file, modified: new Date(0), isForced: true });
    await expect(lead.call(uploadJob, { body: await readFile(file) })).rejects.toMatchObject({ code: "job/invalid" });
    expect((await lead.call(listJobs, { query: { mine: "true" } })).jobs).toEqual([]);
    await expect(dashboard.dashboard.parts.db.selectFrom("submitted_jobs").selectAll().execute()).resolves.toEqual([]);
  });
});

describe("a dashboard that watches a federation that was provisioned elsewhere", () => {
  it("says so, and makes no CA of its own", async () => {
    const admin = await dashboard.person({ role: "project_admin" });
    expect(await admin.call(getProject)).toMatchObject({ isElsewhere: true, authority: null });
    await expect(admin.call(freezeProject, { body: { passphrase: "a passphrase of many words" } })).rejects.toMatchObject({
      code: "dashboard/project-elsewhere",
      status: 409,
    });
  });
});

describe("a dashboard whose server goes and comes", () => {
  it("says so at once, and goes on by itself", async () => {
    await federation.stop("server");
    await expect.poll(async () => (await lead.call(getFederation)).link, patience).toMatchObject({ isConnected: false });
    const { link } = await lead.call(getFederation);
    expect(link.reason).not.toBe("");
    await expect(lead.call(listJobs)).rejects.toMatchObject({ code: "dashboard/federation-unreachable", status: 409 });
    await federation.start("server");
    await expect.poll(async () => (await lead.call(getFederation)).link.isConnected, patience).toBe(true);
    await expect
      .poll(async () => (await lead.call(getFederation)).sites.filter(({ state }) => state === "connected").length, patience)
      .toBe(2);
  });
});
