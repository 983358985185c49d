import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeSafetensors } from "@flare-ts/aggregator";
import { defaultAuthorizationPolicy, isAllowed, limits } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readJobFolder } from "../job/read-job-folder.js";
import { createSignedJob } from "../job/signed-job.js";
import type { Logger } from "../logging/logger.js";
import type { Identity } from "../session/identity.js";
import { TestProject } from "../session/test-project.test-support.js";
import { FileModelStore } from "../store/file-model-store.js";
import type { ObjectRef } from "../store/model-store.js";
import { ObjectRetention } from "../store/object-retention.js";
import type { ServerStore } from "../store/server-store.js";
import { openSqliteServerStore } from "../store/sqlite-server-store.js";
import { Studies } from "../study/studies.js";
import { StudyRegistry } from "../study/study-registry.js";
import { createDefinitionReader } from "./job-definition.js";
import { JobIntake } from "./job-intake.js";
import { JournalHub } from "./journal-hub.js";
import { ModelsOfOthers } from "./models-of-others.js";

const example = fileURLToPath(new URL("../../../../examples/numpy-hello/job", import.meta.url));
const project = new TestProject("hospitals");
const lead = (name: string, org: string) => {
  const keys = project.issue({ name, org, role: "lead" });
  const identity: Identity = { name, org, role: "lead", kind: "admin", fingerprint: "", chainPem: keys.certificatePem };
  return { keys, identity };
};
const ann = lead("ann@a.org", "org_a");
const bob = lead("bob@b.org", "org_b");
const policy = (request: Omit<Parameters<typeof isAllowed>[1], "site">): boolean =>
  isAllowed(defaultAuthorizationPolicy, { ...request, site: { org: "org_s" } });

let root: string;
let store: ServerStore;
let models: FileModelStore;
let intake: JobIntake;
let jobs = 0;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "flare-intake-"));
  store = await openSqliteServerStore({ path: join(root, "server.sqlite") });
  models = await FileModelStore.open({ root: join(root, "models") });
  const logger = { info() {}, warn() {}, error() {}, debug() {} } as unknown as Logger;
  const studies = await StudyRegistry.open({ write: writeFile, logger }, { localDir: root, workspace: root });
  await studies.change(() => ({ studies: studiesOf({ hearts: ["ann@a.org"], lungs: ["ann@a.org", "bob@b.org"] }), answer: {} }));
  const others = new ModelsOfOthers({ store, studies, isAllowed: policy });
  const hub = new JournalHub({ store, now: Date.now });
  const retention = new ObjectRetention({ models, logger });
  const trust = project.trust();
  intake = new JobIntake(
    {
      hub,
      models,
      retention,
      others,
      studies,
      store,
      now: Date.now,
      isAllowed: policy,
      readDefinition: createDefinitionReader({ models, trust }),
      possession: { has: () => true },
    },
    { workspace: root, trust },
  );
});
afterEach(async () => {
  await store.close();
  await rm(root, { recursive: true, force: true });
});

const model = (value: number): Buffer =>
  Buffer.from(encodeSafetensors([["w", { dtype: "F32", shape: [2], data: Float32Array.of(value, 0.5) }]]));

function studiesOf(users: Readonly<Record<string, string[]>>): Studies {
  const studies = Object.fromEntries(Object.entries(users).map(([name, admins]) => [name, { admins }]));
  return Studies.from({ format_version: "1.0", studies });
}

/** What a lead's console does who has a model's hash alone, and what the server then has. */
async function submit(
  { keys, identity }: typeof ann,
  initial: Uint8Array,
  study = "default",
): Promise<{ readonly jobId: string; readonly initial: ObjectRef }> {
  jobs += 1;
  const folder = join(root, `job-${jobs}`);
  await cp(example, folder, { recursive: true });
  await writeFile(join(folder, "app/initial_model.safetensors"), initial);
  const job = await readJobFolder(folder);
  for (const file of job.files) await models.importFile(file.absolutePath);
  const jobId = `5b1b7c1c-5f0e-4a52-9a3f-${String(jobs).padStart(12, "0")}`;
  const signed = createSignedJob({ folder: job, jobId, project: project.name, study, submitter: keys, nowMs: Date.now() });
  expect(signed.byteLength).toBeLessThan(limits.signedJobBytes);
  await intake.accept({ identity, study }, await models.importBytes(signed));
  const { hash, size } = await models.importBytes(initial);
  return { jobId, initial: { hash, size } };
}

describe("a job of files that the server has already", () => {
  it("is refused with an update of a site, and with another's model; whoever may download a model may go on from it", async () => {
    const { jobId } = await submit(ann, model(0));
    const [update, result] = [await models.importBytes(model(1)), await models.importBytes(model(2))];
    const accepted = { round: 0, task: "train", site: "site-1", paramsType: "FULL", weight: 1, metrics: {}, meta: {} } as const;
    await store.append(jobId, 5, { type: "update-accepted", ...accepted, update: { hash: update.hash, size: update.size } });
    await store.append(jobId, 6, { type: "workflow-ended", model: { hash: result.hash, size: result.size }, reason: "" });
    for (const [who, value] of [
      [bob, 1],
      [ann, 1],
      [bob, 2],
    ] as const) {
      await expect(submit(who, model(value))).rejects.toMatchObject({ code: "auth/not-authorized" });
    }
    await submit(ann, model(2));
  });

  it("may begin with the model that another's began with, or one's own that training did not change", async () => {
    const { jobId, initial } = await submit(ann, model(0));
    const opened = { round: 0, task: "train", sites: ["site-1"], totalRounds: 1 } as const;
    await store.append(jobId, 5, { type: "round-opened", ...opened, model: initial });
    await expect(submit(bob, model(0))).resolves.toMatchObject({ initial });
    const accepted = { round: 0, task: "train", site: "site-1", paramsType: "FULL", weight: 1, metrics: {}, meta: {} } as const;
    await store.append(jobId, 6, { type: "update-accepted", ...accepted, update: initial });
    await submit(ann, model(0));
    expect(await store.jobs()).toHaveLength(3);
  });

  it("is refused with a model that a site has handed in to be evaluated, whoever's the job is; what the job began with stays free", async () => {
    const { jobId, initial } = await submit(ann, model(0));
    const { hash, size } = await models.importBytes(model(1));
    const handedIn = { hash, size };
    const round = { sites: ["site-1"], totalRounds: 3 };
    const closing = { contributors: ["site-1"], missing: [], metrics: {}, bytes: 1, aggregationSeconds: 0, model: initial } as const;
    for (const event of [
      { type: "round-opened", round: 0, task: "submit_model", model: initial, ...round },
      { type: "round-closed", round: 0, ...closing, models: { "site-1": handedIn } },
      { type: "round-opened", round: 1, task: "validate", model: initial, evaluates: "SRV_FL_global_model", ...round },
      { type: "round-closed", round: 1, ...closing },
      { type: "round-opened", round: 2, task: "validate", model: handedIn, evaluates: "site-1", ...round },
      { type: "round-closed", round: 2, ...closing, model: handedIn },
      { type: "workflow-ended", model: initial, reason: "" },
    ] as const) {
      await store.append(jobId, 5, event);
    }
    for (const who of [ann, bob]) {
      const refusal = { code: "auth/not-authorized", message: expect.stringContaining("it is a model of a site in job") as string };
      await expect(submit(who, model(1))).rejects.toMatchObject(refusal);
    }
    for (const who of [ann, bob]) await submit(who, model(0));
  });

  it("may go on from what one's own job has made, also where that is what the last site has sent, and from nothing before it", async () => {
    const { jobId } = await submit(ann, model(0));
    const [first, last] = [await models.importBytes(model(1)), await models.importBytes(model(2))];
    for (const [round, { hash, size }] of [first, last].entries()) {
      const turn = { round, task: "train", site: "site-1", paramsType: "FULL", weight: 1, metrics: {}, meta: {} } as const;
      await store.append(jobId, 5, { type: "update-accepted", ...turn, update: { hash, size } });
    }
    await expect(submit(ann, model(2))).rejects.toMatchObject({ code: "auth/not-authorized" });
    await store.updateJob(jobId, { status: "FINISHED:COMPLETED", result: { hash: last.hash, size: last.size } });
    await submit(ann, model(2));
    await expect(submit(ann, model(1))).rejects.toMatchObject({ code: "auth/not-authorized" });
    await expect(submit(bob, model(2))).rejects.toMatchObject({ code: "auth/not-authorized", facts: { job: jobId } });
  });

  it("lacks the models of a study that is not the submitter's, as if they were not there", async () => {
    const { jobId } = await submit(ann, model(0), "hearts");
    const { hash, size } = await models.importBytes(model(2));
    await store.append(jobId, 5, { type: "workflow-ended", model: { hash, size }, reason: "" });
    const refusal = await submit(bob, model(2), "lungs").catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "job/files-missing", facts: { files: ["app/initial_model.safetensors"] } });
    expect(JSON.stringify(refusal)).not.toContain(jobId);
    await submit(ann, model(2), "lungs");
  });

  it("is refused when it was signed for another study than it is submitted to", async () => {
    const folder = await readJobFolder(example);
    for (const file of folder.files) await models.importFile(file.absolutePath);
    const jobId = "5b1b7c1c-5f0e-4a52-9a3f-0000000000ff";
    const init = { folder, jobId, project: project.name, submitter: ann.keys, nowMs: Date.now() };
    for (const [signedFor, study] of [
      ["hearts", "lungs"],
      ["default", "lungs"],
      ["hearts", "default"],
    ] as const) {
      const signed = await models.importBytes(createSignedJob({ ...init, study: signedFor }));
      await expect(intake.accept({ identity: ann.identity, study }, signed)).rejects.toMatchObject({ code: "job/wrong-study" });
    }
    expect(await store.jobs()).toEqual([]);
  });
});
