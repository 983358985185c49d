import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeSafetensors, epsilonFor } from "@flare-ts/aggregator";
import type { JournalEntry, TrackedPoint } from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./eventually.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";
import { writeScriptJob } from "./write-script-job.js";

/** Noise a hundred times the norm costs next to nothing, and three such updates are one too many. */
const noise = { clip_norm: 1e-6, noise_multiplier: 100 };
const epsilonOf = (steps: number): number =>
  epsilonFor({ samplingRate: 1, noiseMultiplier: noise.noise_multiplier / 2, steps, delta: 1e-5 });

/** Of 1000 values 20 leave, for 1 and 20 times 0.1. */
const sparse = { fraction: 0.02, epsilon: 1, noise_var: 0.1, gamma: 1, replace: false };
const sparseEpsilon = 3;

const sites = ["site-1", "site-2"];

describe("a site with a privacy policy", () => {
  let federation: Federation;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "flare-privacy-"));
    federation = await createFederation({ sites });
    const local = join(federation.kitOf("site-1"), "local");
    const budget = (epsilonOf(2) + epsilonOf(3)) / 2;
    const policy = {
      scopes: [
        {
          name: "private",
          task_result_filters: [
            { path: "nvflare.app_common.filters.exclude_vars.ExcludeVars", args: { exclude_vars: "^head\\." } },
            { name: "ClipNorm", args: { max_norm: 5 } },
            { name: "AllowMetrics", args: { metrics: ["loss"] } },
            { name: "FixedWeight", args: { weight: 2 } },
          ],
        },
        { name: "noisy", task_result_filters: [{ name: "GaussianPrivacy", args: { ...noise, epsilon_budget: budget } }] },
        { name: "slow", task_result_filters: [{ name: "GaussianPrivacy", args: noise }] },
        {
          name: "sparse",
          task_result_filters: [
            { path: "nvflare.app_common.filters.svt_privacy.SVTPrivacy", args: { ...sparse, epsilon_budget: 2.5 * sparseEpsilon } },
          ],
        },
      ],
      default_scope: "private",
    };
    await writeFile(join(local, "privacy.json"), JSON.stringify(policy));
    // Updates are made smaller after the filters.
    await writeFile(join(local, "resources.json"), JSON.stringify({ format_version: 2, components: [], update_form: "bfloat16" }));
    const open = { scopes: [{ name: "open" }, { name: "noisy" }, { name: "sparse" }], default_scope: "open" };
    await writeFile(join(federation.kitOf("site-2"), "local", "privacy.json"), JSON.stringify(open));
    await federation.startAll();
  });

  afterAll(async () => {
    await federation.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  it("says which scopes a job may name", async () => {
    const admin = await federation.admin();
    const { sites: known } = await admin.status();
    admin.close();
    expect(known.map(({ name, privacy }) => [name, privacy])).toEqual([
      ["site-1", { scopes: ["private", "noisy", "slow", "sparse"], defaultScope: "private" }],
      ["site-2", { scopes: ["open", "noisy", "sparse"], defaultScope: "open" }],
    ]);
  });

  it("lets out what its default scope lets out, and nothing else", async () => {
    const { entries, model, metrics, jobId } = await run("plain", { num_rounds: 1 }, { min_clients: 2 });
    expect(entries.at(-1)?.event).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED" });
    const [filtered] = updatesOf(entries, "site-1");
    expect(filtered).toMatchObject({ paramsType: "DIFF", weight: 2, metrics: { loss: 0.5 }, meta: {}, wire: { form: "bfloat16" } });
    const [open] = updatesOf(entries, "site-2");
    expect(open).toMatchObject({
      paramsType: "FULL",
      weight: 2,
      metrics: { loss: 0.5, "patients.age": 71 },
      meta: { patient: "Jane Doe" },
    });
    // Site 1 adds 3 and 4, whose norm is 5; its head and its counter stay there. Site 2 adds the same and all else.
    expect(model).toEqual({ "body.w": [3, 4], "head.w": [110], steps: [8], more: [] });
    const tracked = metrics.flatMap(({ site, key }) => (site === undefined ? [] : [`${site} ${key}`])).sort();
    expect(tracked).toEqual(["site-1 loss", "site-2 loss", "site-2 patients.age"]);
    const [release] = await releasesOf(jobId);
    expect(release).toMatchObject({
      who: "site-1",
      outcome: "allowed",
      facts: {
        job: jobId,
        round: 0,
        task: "train",
        scope: "private",
        filters: ["ExcludeVars", "ClipNorm", "AllowMetrics", "FixedWeight"],
        leftOut: ["head.w", "steps"],
      },
    });
  });

  it("sends what a job keeps out of the aggregate, of which the model keeps its own, also with an optimizer at the server", async () => {
    const adam = { strategy: "fed-adam", strategy_args: { learningRate: 1 } };
    for (const [name, strategy] of Object.entries({ mean: {}, adam })) {
      const { entries, model } = await run(
        `kept-${name}`,
        { num_rounds: 2, exclude_vars: "^(body|more)", ...strategy },
        { min_clients: 2 },
      );
      expect(entries.at(-1)?.event).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED" });
      expect(model).toMatchObject({ "body.w": [0, 0] });
      expect(model["head.w"]).not.toEqual([100]);
    }
  });

  it("does the same to a model that is no small one, whose file stays at the site", async () => {
    const { entries, model } = await run("large", { num_rounds: 2 }, { min_clients: 2 }, sites, 100_000);
    expect(updatesOf(entries, "site-1").map(({ wire }) => wire?.form)).toEqual(["bfloat16", "bfloat16"]);
    expect(model).toMatchObject({ "body.w": [6, 8], "head.w": [120], steps: [9] });
    const lent = await readdir(join(federation.kitOf("site-1"), "models", "lent"), { recursive: true });
    expect(lent.filter((name) => name.includes("answer"))).toEqual([]);
  });

  it("goes on with an update that it was filtering when it was stopped, and does not train it again", async () => {
    const admin = await federation.admin();
    const meta = { min_clients: 1, scope: "slow", deploy_map: { app: ["server", "site-1"] } };
    const { jobId } = await admin.submitJob(await writeJob(join(folder, "stopped"), { num_rounds: 1 }, meta, 8_000_000));
    await eventually(
      "the update is filtered",
      async () => JSON.stringify(await admin.listJobs()).includes("takes its update in"),
      30_000,
      5,
    );
    await federation.stop("site-1");
    await federation.start("site-1");
    const entries = await followJob(federation, jobId);
    admin.close();
    expect(updatesOf(entries, "site-1")).toHaveLength(1);
    expect(await readFile(join(federation.kitOf("site-1"), jobId, "trainer.log"), "utf8")).toBe("trains\n");
  });

  it("does not run a job of a scope that it does not have, and the others go on", async () => {
    const { entries } = await run("elsewhere", { num_rounds: 1 }, { min_clients: 1, scope: "secret" }, ["site-1"]);
    const left = entries.flatMap(({ event }) => (event.type === "site-left" ? [event] : []));
    expect(left.map(({ site, error }) => [site, error.code])).toEqual([["site-1", "privacy/scope-unknown"]]);
    expect(left[0]?.error.message).toContain("'secret'");
  });

  it("stops when its budget is spent, for good and across jobs, and the others go on", async () => {
    const { entries } = await run("spends", { num_rounds: 4 }, { min_clients: 1, scope: "noisy" });
    expect(updatesOf(entries, "site-1")).toHaveLength(2);
    expect(updatesOf(entries, "site-2")).toHaveLength(4);
    expect(entries.flatMap(({ event }) => (event.type === "site-left" ? [event.error.code] : []))).toEqual(["privacy/budget-spent"]);
    expect(entries.at(-1)?.event).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED" });
    const again = await run("again", { num_rounds: 1 }, { min_clients: 1, scope: "noisy" });
    expect(updatesOf(again.entries, "site-1")).toHaveLength(0);
    expect(again.entries.flatMap(({ event }) => (event.type === "site-left" ? [event.error.code] : []))).toEqual(["privacy/budget-spent"]);
  });

  it("lets a few values out, each with noise, and counts what they cost until the budget is spent", async () => {
    // Without its head and its counter the model has 3 values, and 997 more that nobody trains.
    const { entries, model, jobId } = await run("sparse", { num_rounds: 3 }, { min_clients: 1, scope: "sparse" }, sites, 997);
    expect(updatesOf(entries, "site-1").map(({ paramsType }) => paramsType)).toEqual(["DIFF", "DIFF"]);
    expect(updatesOf(entries, "site-2")).toHaveLength(3);
    expect(entries.flatMap(({ event }) => (event.type === "site-left" ? [event.error] : []))).toMatchObject([
      { code: "privacy/budget-spent", facts: { epsilon: expect.closeTo(3 * sparseEpsilon, 9) } },
    ]);
    expect(entries.at(-1)?.event).toMatchObject({ type: "job-ended", status: "FINISHED:COMPLETED" });
    const spent = (epsilon: number) => ({ facts: { scope: "sparse", filters: ["SVTPrivacy"], leftOut: ["steps"], epsilon } });
    expect(await releasesOf(jobId)).toMatchObject([spent(expect.closeTo(sparseEpsilon, 9)), spent(expect.closeTo(2 * sparseEpsilon, 9))]);
    const more = (model["more"] ?? []).filter((value) => value !== 0);
    // Site 2 changes none of them. Of the 1000 values 20 left each time, 3 of which may be others.
    expect(more.length).toBeGreaterThanOrEqual(17);
    expect(more.length).toBeLessThanOrEqual(40);
  });

  const updatesOf = (entries: readonly JournalEntry[], of: string) =>
    entries.flatMap(({ event }) => (event.type === "update-accepted" && event.site === of ? [event] : []));

  async function releasesOf(jobId: string): Promise<readonly unknown[]> {
    const audit = await readFile(join(federation.kitOf("site-1"), "audit.log"), "utf8");
    return audit
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly action: string; readonly facts?: { readonly job?: string } })
      .filter(({ action, facts }) => action === "release_update" && facts?.job === jobId);
  }

  async function run(name: string, workflow: object, meta: object, at: readonly string[] = sites, more = 0) {
    const admin = await federation.admin();
    const { jobId } = await admin.submitJob(
      await writeJob(join(folder, name), workflow, { ...meta, deploy_map: { app: ["server", ...at] } }, more),
    );
    const entries = await followJob(federation, jobId);
    const { dir, files } = await admin.downloadJob(jobId, join(folder, jobId));
    const metrics: TrackedPoint[] = [];
    for await (const news of admin.watchJobOutput(jobId, { metricsAfter: 0, linesAfter: 0 })) metrics.push(...news.metrics);
    admin.close();
    const path = files.find((file) => file.path.endsWith("FL_global_model.safetensors"))?.path;
    const tensors = path === undefined ? [] : decodeSafetensors(await readFile(join(dir, path)), path);
    const model = Object.fromEntries([...tensors].map(([tensor, { data }]) => [tensor, Array.from(data as Float32Array, Number)]));
    return { jobId, entries, model, metrics };
  }

  function writeJob(job: string, workflow: object, meta: object, more: number): Promise<string> {
    const floats = (...values: number[]) => ({ dtype: "F32", shape: [values.length], data: Float32Array.from(values) }) as const;
    const model = {
      "body.w": floats(0, 0),
      "head.w": floats(100),
      steps: { dtype: "I64", shape: [1], data: BigInt64Array.of(7n) },
      more: { dtype: "F32", shape: [more], data: new Float32Array(more) },
    } as const;
    return writeScriptJob({ folder: job, meta: { name: "private", ...meta }, workflow, script: trainer, model });
  }
});

const trainer = `import * as flare from "@flare-ts/runtime/client";
await flare.init();
while (await flare.isRunning()) {
  const model = await flare.receive();
  if (model === undefined) break;
  const { params } = model;
  console.log("trains");
  params["body.w"].data[0] += 3;
  params["body.w"].data[1] += 4;
  params["head.w"].data[0] += 10;
  params.steps.data[0] += 1n;
  const metrics = { loss: 0.5, "patients.age": 71 };
  flare.log("loss", 0.5);
  flare.log("patients.age", 71);
  await flare.send(new flare.FLModel({ params, metrics, meta: { NUM_STEPS_CURRENT_ROUND: 2, patient: "Jane Doe" } }));
}
flare.shutdown();
`;
