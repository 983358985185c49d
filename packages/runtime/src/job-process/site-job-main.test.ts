import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { decodeSafetensors, encodeSafetensors, readSafetensorsHeader } from "@flare-ts/aggregator";
import { clientConfigSchema, compileClientConfig, type SerializedFlareError, type UpdateForm } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SiteJobCalls, SiteTask, TaskPhase } from "./job-channel.js";
import type { JobProcess } from "./job-launcher.js";
import { ProcessJobLauncher } from "./process-job-launcher.js";
import { RpcPeer } from "./rpc-peer.js";
import type { SiteJobSide, SiteParentSide } from "./rpc-sides.js";

const jobId = "5b1b7c1c-5f0e-4a52-9a3f-5f5a4f4a7a11";
const trainer = (body: string): string => `
import * as flare from "@flare-ts/runtime/client";
import { writeFileSync } from "node:fs";
await flare.init();
writeFileSync("pid", String(process.pid));
while (await flare.isRunning()) {
  const model = await flare.receive();
  if (model === undefined) break;
  ${body}
  flare.log("loss", 0.25);
  await flare.send({ params: model.params, metrics: { loss: 0.25 }, meta: { NUM_STEPS_CURRENT_ROUND: 3 } });
}
`;

let root: string;
let custom: string;
let started: JobProcess[];
const results: Parameters<SiteJobCalls["result"]>[0][] = [];
const failures: SerializedFlareError[] = [];
const logged: unknown[] = [];
const phases: TaskPhase[] = [];
const streamed: string[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "flare-site-job-"));
  custom = join(root, "job", "app_site-1", "custom");
  mkdirSync(custom, { recursive: true });
  mkdirSync(join(root, "job", "app_site-1", "config"));
  mkdirSync(join(root, "models"));
  started = [];
  for (const list of [results, failures, logged, phases, streamed]) list.length = 0;
});

afterEach(async () => {
  for (const process of started) process.kill("SIGTERM");
  await Promise.all(started.map(({ exited }) => exited));
  rmSync(root, { recursive: true, force: true });
});

async function start(
  script: string,
  executor: unknown = { path: "ClientAPIExecutor", args: { task_script_path: "train.ts" } },
  sending: { readonly filters?: unknown; readonly updateForm?: "none" | UpdateForm; readonly streamsLogs?: boolean } = {},
): Promise<Site> {
  writeFileSync(join(custom, "train.ts"), script);
  const { filters = [], updateForm, streamsLogs = false } = sending;
  const config = {
    format_version: 2,
    executors: [{ tasks: ["train", "submit_model", "assess_*"], executor }],
    task_result_filters: filters,
  };
  const app = compileClientConfig(clientConfigSchema.parse(config));
  const workspace = join(root, "job");
  const process = await new ProcessJobLauncher({ environment: globalThis.process.env }).launch({
    kind: "site",
    jobId,
    workspace,
    readable: [join(root, "models")],
  });
  started.push(process);
  const begun = Promise.withResolvers<void>();
  const peer: RpcPeer<SiteParentSide, SiteJobSide> = new RpcPeer<SiteParentSide, SiteJobSide>(
    { channel: process.channel },
    {
      listeners: {},
      handlers: {
        begin: () => {
          setImmediate(() => begun.resolve());
          const job = {
            jobId,
            jobName: "test",
            site: "site-1",
            workspace,
            appFolder: join(workspace, "app_site-1"),
            datasets: {},
            streamsLogs,
            modelsFolder: join(root, "models"),
            ...(updateForm === undefined ? {} : { updateForm }),
            stallMs: 60_000,
            attachFolder: join(root, "attach"),
          };
          return { job, app };
        },
        result: (result) => {
          renameSync(result.path, join(root, "models", `result-${result.key.round}`));
          results.push(result);
          return {};
        },
        taskFailed: ({ error }) => {
          failures.push(error);
          return {};
        },
        taskProgress: ({ key: _key, ...phase }) => {
          phases.push(phase);
          return {};
        },
        secrets: ({ names }) => ({ values: Object.fromEntries(names.map((name) => [name, `value-of-${name}`])) }),
        log: (line) => {
          logged.push(line);
          return {};
        },
        lines: ({ texts }) => {
          streamed.push(...texts);
          return {};
        },
      },
    },
  );
  peer.start();
  await begun.promise;
  return { process, peer };
}

interface Site {
  readonly process: JobProcess;
  readonly peer: RpcPeer<SiteParentSide, SiteJobSide>;
}

function task(round: number, name = "train"): SiteTask {
  const modelPath = join(root, "models", `model-${round}`);
  writeFileSync(modelPath, encodeSafetensors([["w", { dtype: "F32", shape: [1], data: Float32Array.of(round) }]]));
  return { key: { jobId, round, task: name }, modelPath, totalRounds: 2, meta: {} };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(5);
}

function trainerPid(): number {
  try {
    return Number(readFileSync(join(custom, "pid"), "utf8"));
  } catch {
    return 0;
  }
}

function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !stat.slice(stat.lastIndexOf(")")).startsWith(") Z");
  } catch {
    return false;
  }
}

const adding = trainer("for (const tensor of Object.values(model.params)) tensor.data[0] += 0.1;");
const quantizer = (type: string, tasks = "train"): unknown => [
  { tasks: [tasks], filters: [{ path: "nvflare.app_opt.pt.quantization.quantizer.ModelQuantizer", args: { quantization_type: type } }] },
];

describe("results", () => {
  it.each([
    ["by the job's filter", { filters: quantizer("float16") }, "float16", "F16"],
    ["by the site's own setting, whatever the job says", { filters: quantizer("float16"), updateForm: "bfloat16" }, "bfloat16", "BF16"],
    ["with a scale for each block", { updateForm: "blockwise8" }, "blockwise8", "I8"],
  ] as const)("are sent as small differences, %s, with the error that this costs", async (_how, sending, form, dtype) => {
    const { peer } = await start(adding, undefined, sending);
    peer.notify("task", task(3));
    await until(() => results.length + failures.length === 1);
    expect(failures).toEqual([]);
    expect(results[0]).toMatchObject({ paramsType: "DIFF", weight: 3, meta: { "flare.wire": { form, fullBytes: expect.any(Number) } } });
    const { relativeError } = (results[0]?.meta["flare.wire"] ?? {}) as { readonly relativeError: number };
    expect(relativeError).toBeLessThan(2 ** -7);
    const path = join(root, "models", "result-3");
    expect((await readSafetensorsHeader(path)).tensors.find(({ name }) => name === "w")).toMatchObject({ dtype });
    await until(() => readdirSync(join(root, "job", "client_api_0", "results")).length === 0);
  });

  it("go through the job's filters first, in their order", async () => {
    const path = "nvflare.app_opt.pt.quantization.quantizer.ModelQuantizer";
    const list = [
      { path: "ClipNorm", args: { max_norm: 0.05 } },
      { path, args: { quantization_type: "float16" } },
    ];
    const { peer } = await start(adding, undefined, { filters: [{ tasks: ["train"], filters: list }] });
    peer.notify("task", task(1));
    await until(() => results.length + failures.length === 1);
    expect(failures).toEqual([]);
    expect(results[0]).toMatchObject({ paramsType: "DIFF", weight: 3, meta: { "flare.wire": { form: "float16" } } });
    const file = readFileSync(join(root, "models", "result-1"));
    // 0.05 in float16, whose bits are 0x2a66.
    expect([...(decodeSafetensors(file).get("w")?.data ?? [])]).toEqual([0x2a66]);
    await until(() => readdirSync(join(root, "job", "client_api_0", "results")).length === 0);
  });

  it("of which the job's filters leave nothing fail, and the script goes on", async () => {
    const { peer } = await start(adding, undefined, {
      filters: [{ tasks: ["train"], filters: [{ path: "ExcludeVars", args: { exclude_vars: "^w" } }] }],
    });
    peer.notify("task", task(0));
    peer.notify("task", task(1, "submit_model"));
    await until(() => results.length + failures.length === 2);
    expect(failures).toMatchObject([{ code: "privacy/nothing-left" }]);
    expect(results).toMatchObject([{ key: { task: "submit_model" } }]);
  });

  it("are sent as they are where the site says so, or where a value is beyond the form", async () => {
    const { peer } = await start(adding, undefined, { filters: quantizer("blockwise8"), updateForm: "none" });
    peer.notify("task", task(0));
    await until(() => results.length + failures.length === 1);
    expect(results[0]).toMatchObject({ paramsType: "FULL", meta: {} });
    const { peer: other } = await start(trainer("model.params.w.data[0] = 1e6;"), undefined, { updateForm: "float16" });
    other.notify("task", task(1));
    await until(() => results.length + failures.length === 2);
    expect(results[1]).toMatchObject({ paramsType: "FULL", meta: {} });
  });
});

describe("an evaluation", () => {
  const evaluating = `
    import * as flare from "@flare-ts/runtime/client";
    await flare.init();
    while (await flare.isRunning()) {
      const model = await flare.receive();
      if (flare.isEvaluate()) await flare.send({ metrics: { accuracy: model.params.w.data[0] }, meta: { by: "the script" } });
      else await flare.send({ params: model.params, meta: { NUM_STEPS_CURRENT_ROUND: 3 } });
    }
  `;

  it.each([
    ["as the job wants its updates small", { filters: quantizer("float16", "*") }, {}],
    ["as the site wants them small", { updateForm: "blockwise8" }, {}],
    ["with a trainer for each task", { updateForm: "bfloat16" }, { launch_once: false, params_transfer_type: "DIFF" }],
  ] as const)("is answered with metrics alone, %s", async (_how, sending, more) => {
    const args = { task_script_path: "train.ts", evaluate_task_name: "assess_global", ...more };
    const { peer } = await start(evaluating, { path: "ClientAPIExecutor", args }, sending);
    for (const [round, name] of ["assess_global", "submit_model", "assess_global"].entries()) peer.notify("task", task(round, name));
    await until(() => results.length + failures.length === 3);
    expect(failures).toEqual([]);
    const evaluation = { paramsType: "FULL", weight: 1, meta: { by: "the script" } };
    expect(results).toMatchObject([
      { ...evaluation, key: { task: "assess_global" }, metrics: { accuracy: 0 } },
      { paramsType: "DIFF", weight: 3, metrics: {}, meta: { "flare.wire": expect.anything() } },
      { ...evaluation, metrics: { accuracy: 2 } },
    ]);
    expect(results[0]?.meta).toEqual({ by: "the script" });
    const tensors = await Promise.all([0, 1, 2].map(async (round) => readSafetensorsHeader(join(root, "models", `result-${round}`))));
    expect(tensors.map(({ tensors: { length } }) => length > 0)).toEqual([false, true, false]);
  });

  it("fails with the names of the tasks that the job answers where it has no executor for it", async () => {
    const { peer } = await start(evaluating);
    peer.notify("task", task(0, "validate"));
    await until(() => results.length + failures.length === 1);
    const known = ["train", "submit_model", "assess_*"];
    expect(failures).toMatchObject([{ code: "client-api/no-executor", facts: { task: "validate", known } }]);
    peer.notify("task", task(1));
    await until(() => results.length + failures.length === 2);
    expect(failures).toHaveLength(1);
  });
});

describe("the job process of a site", () => {
  it("streams no secret that its trainer prints", async () => {
    const args = { task_script_path: "train.ts", env: { HUB: { from_secret: "hub" } } };
    const executor = { path: "ClientAPIExecutor", args };
    const { peer } = await start(trainer('console.log("token", process.env.HUB);'), executor, { streamsLogs: true });
    peer.notify("task", task(0));
    await until(() => streamed.some((text) => text.startsWith("token")));
    expect(streamed.filter((text) => text.startsWith("token"))).toEqual(["token (secret)"]);
    expect(streamed.filter((text) => text.includes("value-of-hub"))).toEqual([]);
  });

  it("answers tasks with its trainer, and both end when the job stops", async () => {
    const { process, peer } = await start(trainer(""));
    peer.notify("task", task(0));
    peer.notify("task", task(1));
    peer.notify("task", task(1));
    await until(() => results.length === 2);
    expect(results[1]).toMatchObject({ key: { jobId, round: 1, task: "train" }, paramsType: "FULL", weight: 3, metrics: { loss: 0.25 } });
    expect(decodeSafetensors(readFileSync(join(root, "models", "result-1"))).get("w")?.data).toEqual(Float32Array.of(1));
    expect(logged).toEqual([
      { key: "loss", value: 0.25, round: 0 },
      { key: "loss", value: 0.25, round: 1 },
    ]);
    expect(phases[0]).toMatchObject({ phase: "waiting", reason: "starts the trainer" });
    expect(phases.map(({ phase }) => phase)).toContain("training");
    const pid = trainerPid();
    peer.notify("stop", { reason: "done" });
    expect(await process.exited).toEqual({ code: 0, signal: null });
    expect(isRunning(pid)).toBe(false);
    expect(failures).toEqual([]);
  });

  it("takes its trainer along when its parent goes away", async () => {
    const { process, peer } = await start(trainer("for (;;);"));
    peer.notify("task", task(0));
    await until(() => trainerPid() > 0);
    const pid = trainerPid();
    process.channel.close();
    expect(await process.exited).toEqual({ code: 0, signal: null });
    await until(() => !isRunning(pid));
  });

  it("is followed by an idle trainer when it is killed", async () => {
    const { process, peer } = await start(trainer(""));
    peer.notify("task", task(0));
    await until(() => results.length === 1);
    const pid = trainerPid();
    process.kill("SIGKILL");
    expect(await process.exited).toEqual({ code: null, signal: "SIGKILL" });
    await until(() => !isRunning(pid));
  });

  it("does a task again after it was killed in the middle, with one trainer only", async () => {
    const first = await start(trainer(`if (model.currentRound === 0 && !(await import("node:fs")).existsSync("again")) for (;;);`));
    first.peer.notify("task", task(0));
    await until(() => trainerPid() > 0);
    const pid = trainerPid();
    first.process.kill("SIGKILL");
    await first.process.exited;
    writeFileSync(join(custom, "again"), "");
    const second = await start(readFileSync(join(custom, "train.ts"), "utf8"));
    second.peer.notify("task", task(0));
    await until(() => results.length === 1);
    expect(isRunning(pid)).toBe(false);
  });

  it("does what its parent read in the signed configuration, whatever stands in its folder", async () => {
    writeFileSync(join(root, "job", "app_site-1", "config", "config_fed_client.json"), "of the job's code");
    const { peer } = await start(trainer(""));
    peer.notify("task", task(0));
    await until(() => results.length === 1);
    expect(failures).toEqual([]);
  });

  it("says what the trainer said when it fails, and which task nobody answers", async () => {
    const { peer } = await start("throw new Error('no such column: benign');", {
      path: "ClientAPIExecutor",
      args: { task_script_path: "train.ts", max_restarts: 1 },
    });
    peer.notify("task", task(0));
    const other = task(1);
    peer.notify("task", { ...other, key: { ...other.key, task: "validate" } });
    await until(() => failures.length === 2);
    expect(failures.map(({ code }) => code)).toEqual(["client-api/trainer-died", "client-api/no-executor"]);
    expect(JSON.stringify(failures[0]?.facts)).toContain("no such column: benign");
  });
});
