import { describe, expect, it } from "vitest";
import { readDocument } from "../documents/read-document.js";
import { appConfigWarnings, clientConfigSchema, compileClientConfig, compileServerConfig, serverConfigSchema } from "./app-config.js";
import { executorFor } from "./executor-for.js";
import type { FedAvgSettings } from "./fed-avg.js";

const job = { jobId: "0b7f0a0e-4c0e-4a3c-9a55-6f7f5d1f6f10", sites: ["site-1", "site-2", "site-3"], minClients: undefined };

function fedAvg(args: Readonly<Record<string, unknown>>, change: Partial<typeof job> | { minClients: number } = {}): FedAvgSettings {
  const workflow = { id: "w", path: "FedAvg", args: { initial_model: "m.safetensors", ...args } };
  const document = serverConfigSchema.parse({ format_version: 2, workflows: [workflow] });
  const settings = compileServerConfig(document, { ...job, ...change }).workflows[0]?.settings;
  if (settings?.kind !== "FedAvg") throw new Error("it is FedAvg");
  return settings;
}

function executor(args: Readonly<Record<string, unknown>>) {
  const document = clientConfigSchema.parse({
    format_version: 2,
    executors: [{ tasks: ["train"], executor: { path: "ClientAPIExecutor", args } }],
  });
  return compileClientConfig(document).executors[0]?.executor;
}

describe("FedAvg", () => {
  it("asks every site, needs every site, and leaves deadlines to what is measured by default", () => {
    expect(fedAvg({})).toEqual({
      kind: "FedAvg",
      taskName: "train",
      numClients: 3,
      minClients: 3,
      numRounds: 5,
      startRound: 0,
      trainTimeoutMs: undefined,
      waitAfterMinReceivedMs: undefined,
      stopCondition: undefined,
      patience: undefined,
      keyMetric: "val_accuracy",
      isKeyMetricNegated: false,
      aggregationWeights: {},
      strategy: { name: "fed-avg", settings: {} },
      excludeVars: undefined,
      fedproxMu: undefined,
      seed: expect.any(Number) as number,
    });
  });

  it("takes its quorum from its own min_clients, else the job's, and never more than it asks", () => {
    expect(fedAvg({}, { minClients: 2 }).minClients).toBe(2);
    expect(fedAvg({ min_clients: 1 }, { minClients: 2 }).minClients).toBe(1);
    expect(fedAvg({ num_clients: 1 }, { minClients: 2 }).minClients).toBe(1);
    expect(fedAvg({ num_clients: 9, min_clients: 9 })).toMatchObject({ numClients: 3, minClients: 3 });
  });

  it("has a deadline from train_timeout alone, from the quorum alone, or both", () => {
    const deadline = (args: object) => {
      const { trainTimeoutMs, waitAfterMinReceivedMs } = fedAvg({ ...args });
      return [trainTimeoutMs, waitAfterMinReceivedMs];
    };
    expect(deadline({ train_timeout: 60 })).toEqual([60_000, undefined]);
    expect(deadline({ wait_time_after_min_received: 0.5 })).toEqual([undefined, 500]);
    expect(deadline({ train_timeout: 60, wait_time_after_min_received: 2 })).toEqual([60_000, 2_000]);
  });

  it("samples the same sites for the same job, and others for another", () => {
    expect(fedAvg({}).seed).toBe(fedAvg({}).seed);
    expect(fedAvg({}, { jobId: "another" }).seed).not.toBe(fedAvg({}).seed);
    expect(fedAvg({ seed: 7 }).seed).toBe(7);
  });

  it("takes null for an argument that is not there, as FLARE's exporters write it", () => {
    expect(fedAvg({ patience: null, exclude_vars: null, model: null }).patience).toBeUndefined();
  });

  it("combines by the strategy that is named, else the one that fedprox_mu stands for, else the weighted mean", () => {
    const choice = (args: object) => {
      const { strategy, fedproxMu } = fedAvg({ ...args });
      return [strategy, fedproxMu];
    };
    expect(choice({})).toEqual([{ name: "fed-avg", settings: {} }, undefined]);
    expect(choice({ fedprox_mu: 0.1 })).toEqual([{ name: "fed-prox", settings: { mu: 0.1 } }, 0.1]);
    expect(choice({ strategy: "median", fedprox_mu: 0.1 })).toEqual([{ name: "median", settings: {} }, 0.1]);
    const settings = { learningRate: 0.1, biasCorrection: true, plainTensors: ["a"] };
    expect(choice({ strategy: "fed-adam", strategy_args: settings })).toEqual([{ name: "fed-adam", settings }, undefined]);
  });

  it("cannot be changed after it was compiled", () => {
    const settings = fedAvg({ aggregation_weights: { "site-1": 2 } });
    expect(Object.isFrozen(settings)).toBe(true);
    expect(Object.isFrozen(settings.aggregationWeights)).toBe(true);
    expect(Object.isFrozen(settings.strategy.settings)).toBe(true);
  });
});

describe("ClientAPIExecutor", () => {
  it("leaves what is not written to the site, and has FLARE's names of tasks", () => {
    expect(executor({ task_script_path: "train.py" })).toEqual({
      kind: "ClientAPIExecutor",
      launch: { kind: "script", path: "train.py", args: [] },
      isLaunchedOnce: true,
      launchTimeoutMs: undefined,
      stallTimeoutMs: undefined,
      stopGracePeriodMs: 30_000,
      trainTaskName: "train",
      evaluateTaskName: "validate",
      submitModelTaskName: "submit_model",
      paramsTransferType: undefined,
      maxRestarts: 3,
      env: {},
      memoryGcRounds: 0,
      isCudaCacheEmptied: false,
    });
  });

  it("starts nothing where trainers attach, and takes the time that they have from attach_timeout", () => {
    expect(executor({ execution_mode: "attach", attach_id: "mri", attach_timeout: 60, stall_timeout: 5 })).toMatchObject({
      launch: { kind: "attach", attachId: "mri", isReconnectAllowed: true },
      launchTimeoutMs: 60_000,
      stallTimeoutMs: 5_000,
    });
  });

  it.each([
    [{ execution_mode: "attach", command: "python3 t.py" }, /nothing is started/],
    [{ execution_mode: "attach", env: { A: "b" } }, /nothing is started/],
    [{ execution_mode: "attach", attach_id: "../x" }, /letters, digits/],
    [{ task_script_path: "t.py", attach_id: "mri" }, /needs execution_mode 'attach'/],
    [{ task_script_path: "t.py", env: { A: { from_file: "/etc/shadow" } } }, /from_secret/],
    [{ task_script_path: "t.py", env: { A: { from_env: "HOME" } } }, /from_secret/],
    [{ task_script_path: "t.py", env: { A: 1 } }, /must be a text/],
    [{ task_script_path: "t.py", execution_mode: "in_process" }, /a process of its own/],
  ])("refuses %j", (args, message) => {
    const executors = [{ tasks: ["train"], executor: { path: "ClientAPIExecutor", args } }];
    const { error } = clientConfigSchema.safeParse({ format_version: 2, executors });
    expect(error?.issues.map((issue) => issue.message).join("\n")).toMatch(message);
  });

  it("takes secrets by name only", () => {
    const env = { TOKEN: { from_secret: "hub" }, MODE: "fast" };
    expect(executor({ task_script_path: "t.py", env })?.env).toEqual(env);
  });

  it("accepts FLARE's time-outs, and warns that they do nothing", () => {
    const args = { task_script_path: "t.py", heartbeat_timeout: 30, task_wait_timeout: 5, train_with_evaluation: true };
    const text = JSON.stringify({ format_version: 2, executors: [{ tasks: ["train"], executor: { path: "ClientAPIExecutor", args } }] });
    const document = readDocument({ text, file: "config_fed_client.json", schema: clientConfigSchema, code: "job/invalid" });
    const warnings = appConfigWarnings(document).map(({ message }) => message);
    expect(warnings).toHaveLength(3);
    expect(warnings[0]).toMatch(/'heartbeat_timeout' of ClientAPIExecutor: has no effect here; 'stall_timeout'/);
  });

  it("takes words as a list or as a line", () => {
    expect(executor({ task_script_path: "t.py", task_script_args: "--lr 0.1 --name 'a b'" })?.launch).toMatchObject({
      args: ["--lr", "0.1", "--name", "a b"],
    });
    expect(executor({ command: ["torchrun", "train me.py"] })?.launch).toEqual({ kind: "command", command: ["torchrun", "train me.py"] });
    expect(executor({ command: 'python3 -u "my script.py"' })?.launch).toEqual({
      kind: "command",
      command: ["python3", "-u", "my script.py"],
    });
  });
});

describe("executorFor", () => {
  const executors = [{ tasks: ["train"] }, { tasks: ["val_*"] }, { tasks: ["*"] }];

  it.each([
    ["train", 0],
    ["val_local", 1],
    ["training", 2],
  ])("gives the task %s to the first that fits", (task, index) => {
    expect(executorFor(executors, task)).toBe(executors[index]);
  });

  it("finds nothing where nothing fits", () => {
    expect(executorFor([{ tasks: ["train"] }], "validate")).toBeUndefined();
  });
});
