import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { decodeSafetensors, encodeSafetensors, type Tensor } from "@flare-ts/aggregator";
import { type ClientApiExecutorSettings, FlareError } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LogMessage } from "../client/protocol.js";
import type { SiteJobDescription, SiteTask, TaskPhase, TrainerResult } from "../job-process/job-channel.js";
import { systemStallClock } from "../progress/stall-clock.js";
import { type ClientApiExecutor, createClientApiExecutor } from "./client-api-executor.js";
import { stateFolder } from "./state-folder.js";

const jobId = "0b0e7c1c-5f0e-4a52-9a3f-5f5a4f4a7a11";
const loop = (body: string): string => `
import * as flare from "@flare-ts/runtime/client";
await flare.init();
while (await flare.isRunning()) {
  const model = await flare.receive();
  if (model === undefined) break;
  ${body}
}
`;
const addOne = loop(`
  const w: Float32Array = model.params.w.data.map((x: number) => x + 1);
  flare.log("loss", 0.5);
  await flare.send({ params: { w: { ...model.params.w, data: w } }, metrics: { loss: 0.5 }, meta: { NUM_STEPS_CURRENT_ROUND: 7 } });
`);

let root: string;
let job: SiteJobDescription;
let logs: LogMessage[];
let restarts: FlareError[];
let phases: TaskPhase[];
let opened: ClientApiExecutor[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "flare-executor-"));
  const workspace = join(root, "job");
  const appFolder = join(workspace, "app_site-1");
  mkdirSync(join(appFolder, "custom"), { recursive: true });
  mkdirSync(join(root, "startup"));
  mkdirSync(join(root, "data"));
  mkdirSync(join(root, "models"));
  writeFileSync(join(root, "startup", "client.key"), "the key");
  writeFileSync(join(root, "data", "wdbc.csv"), "a,b\n1,2\n");
  job = {
    jobId,
    jobName: "test",
    site: "site-1",
    workspace,
    appFolder,
    datasets: { wdbc: join(root, "data", "wdbc.csv") },
    modelsFolder: join(root, "models"),
    stallMs: 30_000,
    attachFolder: join(root, "attach"),
    streamsLogs: false,
  };
  phases = [];
  logs = [];
  restarts = [];
  opened = [];
});

afterEach(async () => {
  for (const executor of opened) await executor.stop("test over");
  rmSync(root, { recursive: true, force: true });
});

async function open(script: string, settings: Partial<ClientApiExecutorSettings> = {}): Promise<ClientApiExecutor> {
  writeFileSync(join(job.appFolder, "custom", "train.ts"), script);
  const executor = await createClientApiExecutor({
    clock: systemStallClock,
    job,
    folderName: "client_api_0",
    readSecrets: async (names) => Promise.resolve(Object.fromEntries(names.map((name) => [name, `value of ${name}`]))),
    onLog: (message) => logs.push(message),
    onRestart: (error) => restarts.push(error),
    settings: {
      kind: "ClientAPIExecutor",
      launch: { kind: "script", path: "train.ts", args: [] },
      isLaunchedOnce: true,
      launchTimeoutMs: 30_000,
      stallTimeoutMs: undefined,
      stopGracePeriodMs: 5_000,
      trainTaskName: "train",
      evaluateTaskName: "validate",
      submitModelTaskName: "submit_model",
      paramsTransferType: undefined,
      maxRestarts: 0,
      env: {},
      memoryGcRounds: 0,
      isCudaCacheEmptied: false,
      ...settings,
    },
  });
  opened.push(executor);
  return executor;
}

function task(round: number, values: readonly number[] = [1, 2]): SiteTask {
  const modelPath = join(root, "models", `round-${round}.safetensors`);
  const w: Tensor = { dtype: "F32", shape: [values.length], data: Float32Array.from(values) };
  writeFileSync(modelPath, encodeSafetensors([["w", w]]));
  return { key: { jobId, round, task: "train" }, modelPath, totalRounds: 3, meta: {} };
}

interface Delivered extends TrainerResult {
  readonly w: readonly number[];
}

/** Takes results as the site's parent does: the file is gone afterwards. */
async function execute(executor: ClientApiExecutor, site: SiteTask, signal = new AbortController().signal): Promise<Delivered> {
  const { promise, resolve } = Promise.withResolvers<Delivered>();
  await executor.execute(site, {
    signal,
    report: (phase) => phases.push(phase),
    deliver: async (result) => {
      const w = decodeSafetensors(readFileSync(result.path)).get("w");
      rmSync(result.path);
      resolve({ ...result, w: [...((w?.data ?? []) as Float32Array)] });
    },
  });
  return promise;
}

async function failure(promise: Promise<unknown>): Promise<FlareError> {
  const reason: unknown = await promise.then(
    () => "no error",
    (error: unknown) => error,
  );
  expect(reason).toBeInstanceOf(FlareError);
  return reason as FlareError;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(10);
}

function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) !== "Z";
  } catch {
    return false;
  }
}

const pidFile = (): string => join(job.workspace, "pid");
const withPid = (script: string): string =>
  `(await import("node:fs")).writeFileSync(${JSON.stringify(pidFile())}, String(process.pid));\n${script}`;

describe("a trainer with the Client API", () => {
  it("gets models and answers them, round after round, in one process", async () => {
    const executor = await open(withPid(addOne));
    const first = await execute(executor, task(0));
    const pid = readFileSync(pidFile(), "utf8");
    const second = await execute(executor, task(1, first.w));
    expect(first).toMatchObject({ w: [2, 3], weight: 7, paramsType: "FULL", metrics: { loss: 0.5 } });
    expect(second.w).toEqual([3, 4]);
    expect(readFileSync(pidFile(), "utf8")).toBe(pid);
    expect(logs).toEqual([
      { type: "log", key: "loss", value: 0.5, round: 0 },
      { type: "log", key: "loss", value: 0.5, round: 1 },
    ]);
    expect(readdirSync(join(job.workspace, "client_api_0", "results"))).toEqual([]);
  });

  it("ends by itself when the job stops, and is gone when stop resolves", async () => {
    const executor = await open(withPid(addOne));
    await execute(executor, task(0));
    const pid = Number(readFileSync(pidFile(), "utf8"));
    expect(isRunning(pid)).toBe(true);
    await executor.stop("job is done");
    expect(isRunning(pid)).toBe(false);
  });

  it("knows its site, job, task, rounds and data sets", async () => {
    const script = loop(`
      const { readFileSync } = await import("node:fs");
      const info = flare.systemInfo();
      const meta = { NUM_STEPS_CURRENT_ROUND: 1, rows: readFileSync(info.datasets.wdbc, "utf8").length, ...info,
        first: model.startRound, round: model.currentRound, total: model.totalRounds, task: flare.getTaskName(), train: flare.isTrain(),
        job: flare.getJobId(), site: flare.getSiteName() };
      await flare.send({ params: model.params, meta });
    `);
    const executor = await open(script);
    expect((await execute(executor, task(0))).meta).toMatchObject({ first: 0, round: 0 });
    const { meta } = await execute(executor, { ...task(2), meta: { start_round: 1 } });
    expect(meta).toMatchObject({ rows: 8, siteName: "site-1", jobId, jobName: "test", first: 1, round: 2, total: 3 });
    expect(meta).toMatchObject({ task: "train", train: true, job: jobId, site: "site-1" });
    // What it keeps there is the next trainer's too.
    expect(meta["stateFolder"]).toBe(join(stateFolder(job.workspace), "client_api_0"));
    expect(existsSync(String(meta["stateFolder"]))).toBe(true);
  });

  it("sends a difference when the job asks for one", async () => {
    const result = await execute(await open(addOne, { paramsTransferType: "DIFF" }), task(0, [5, 6]));
    expect(result).toMatchObject({ paramsType: "DIFF", w: [1, 1] });
  });

  it("imports its own files and the aggregator", async () => {
    writeFileSync(join(job.appFolder, "custom", "step.ts"), "export interface Step { by: number }\nexport const step: Step = { by: 2 };\n");
    const script = `import { step } from "./step.ts";
      import { encodeSafetensors } from "@flare-ts/aggregator";
      ${loop(`await flare.send({ params: model.params, meta: { NUM_STEPS_CURRENT_ROUND: step.by, is: typeof encodeSafetensors } });`)}`;
    expect(await execute(await open(script), task(0))).toMatchObject({ weight: 2, meta: { is: "function" } });
  });

  it("is told when a result has no weight, and may send again", async () => {
    const script = loop(`
      let code = "none";
      try { await flare.send({ params: model.params }); } catch (error) { code = error.code; }
      await flare.send({ params: model.params, meta: { NUM_STEPS_CURRENT_ROUND: 1, code } });
    `);
    expect((await execute(await open(script), task(0))).meta).toMatchObject({ code: "client-api/weight-missing" });
  });

  it("serves one task only when the executor launches it for each", async () => {
    const executor = await open(withPid(addOne), { isLaunchedOnce: false });
    await execute(executor, task(0));
    const pid = Number(readFileSync(pidFile(), "utf8"));
    expect(isRunning(pid)).toBe(false);
    expect((await execute(executor, task(1))).w).toEqual([2, 3]);
    expect(Number(readFileSync(pidFile(), "utf8"))).not.toBe(pid);
  });
});

describe("a site", () => {
  it("keeps its private key, other files, programs and, on Node 26, the network from a script", async () => {
    const key = join(root, "startup", "client.key");
    const script = loop(`
      const { readFileSync, writeFileSync, symlinkSync } = await import("node:fs");
      const { spawnSync } = await import("node:child_process");
      const { connect } = await import("node:net");
      const attempt = (what) => { try { what(); return "done"; } catch (error) { return error.code; } };
      const network = await new Promise((resolve) => {
        const socket = connect(1, "127.0.0.1");
        socket.on("error", (error) => resolve(error.code));
      });
      await flare.send({ params: model.params, meta: { NUM_STEPS_CURRENT_ROUND: 1, network,
        key: attempt(() => readFileSync(${JSON.stringify(key)})),
        link: attempt(() => symlinkSync(${JSON.stringify(dirname(key))}, "startup")),
        spawn: attempt(() => spawnSync("cat", [${JSON.stringify(key)}])),
        model: attempt(() => writeFileSync(${JSON.stringify(join(root, "models", "round-0.safetensors"))}, "")),
        parent: attempt(() => readFileSync("/proc/" + process.ppid + "/environ")),
      } });
    `);
    const { meta } = await execute(await open(script), task(0));
    const denied = "ERR_ACCESS_DENIED";
    expect(meta).toMatchObject({ key: denied, link: denied, spawn: denied, model: denied, parent: denied });
    const isNetworkGuarded = Number(process.versions.node.split(".")[0]) >= 26;
    expect(meta["network"]).toBe(isNetworkGuarded ? denied : "ECONNREFUSED");
  });

  it("gives a trainer few variables of its environment, and no way to lift the permissions", async () => {
    process.env["FLARE_TEST_SECRET"] = "secret";
    const script = loop(
      `await flare.send({ params: model.params, meta: { NUM_STEPS_CURRENT_ROUND: 1, names: Object.keys(process.env), own: process.env.OWN } });`,
    );
    const { meta } = await execute(await open(script, { env: { OWN: "yes" } }), task(0));
    delete process.env["FLARE_TEST_SECRET"];
    expect(meta).toMatchObject({ own: "yes" });
    expect(meta["names"]).not.toContain("FLARE_TEST_SECRET");
    const other = await open(script, { env: { NODE_OPTIONS: "--allow-fs-read=*" } });
    expect(await failure(execute(other, task(1)))).toMatchObject({ code: "client-api/launch-failed", facts: { variable: "NODE_OPTIONS" } });
  });

  it("answers again from the stored result when its job process dies before the hand-over", async () => {
    const executor = await open(withPid(addOne));
    const lost = executor.execute(task(0), {
      signal: new AbortController().signal,
      report: () => {},
      deliver: () => Promise.reject(new Error("the parent is gone")),
    });
    await expect(lost).rejects.toThrow("the parent is gone");
    executor.kill();
    rmSync(pidFile());
    expect((await execute(await open(withPid(addOne)), task(0))).w).toEqual([2, 3]);
    expect(() => readFileSync(pidFile())).toThrow("ENOENT");
  });

  it.each([true, false])(
    "goes on after a result that the site does not take, of which nothing is left (one trainer for all: %s)",
    async (isLaunchedOnce) => {
      const executor = await open(addOne, { isLaunchedOnce });
      const refused = new FlareError("privacy/nothing-left", "The site's policy leaves nothing of the update.");
      let path = "";
      const deliver = (result: TrainerResult): Promise<void> => {
        path = result.path;
        return Promise.reject(refused);
      };
      await expect(executor.execute(task(0), { signal: new AbortController().signal, report: () => {}, deliver })).rejects.toBe(refused);
      expect(readdirSync(dirname(path))).toEqual([]);
      expect((await execute(executor, task(1, [5]))).w).toEqual([6]);
    },
  );

  it("leaves nothing of a result that was cancelled while it was handed over", async () => {
    const executor = await open(addOne);
    const cancel = new AbortController();
    const deliver = async ({ path }: TrainerResult): Promise<void> => {
      expect(isThere(path)).toBe(true);
      cancel.abort(new FlareError("internal/aborted", "The task was cancelled."));
    };
    await executor.execute(task(0), { signal: cancel.signal, report: () => {}, deliver });
    expect(readdirSync(join(job.workspace, "client_api_0", "results"))).toEqual([]);
    expect((await execute(executor, task(1, [5]))).w).toEqual([6]);
  });

  it("ends a trainer that an earlier job process left behind", async () => {
    const first = await open(withPid(loop("for (;;);")));
    void first.execute(task(0), { signal: new AbortController().signal, report: () => {}, deliver: async () => {} }).catch(() => {});
    await until(() => isThere(pidFile()));
    const pid = Number(readFileSync(pidFile(), "utf8"));
    expect(isRunning(pid)).toBe(true);
    await open(addOne);
    expect(isRunning(pid)).toBe(false);
  });

  it("leaves the trainers of other jobs alone", async () => {
    const first = await open(withPid(addOne));
    await execute(first, task(0));
    const pid = Number(readFileSync(pidFile(), "utf8"));
    const mine = job;
    job = { ...job, workspace: join(root, "other"), appFolder: join(root, "other", "app_site-1") };
    mkdirSync(join(job.appFolder, "custom"), { recursive: true });
    await open(addOne);
    await open(addOne);
    job = mine;
    expect(isRunning(pid)).toBe(true);
  });

  it("keeps a trainer whose model was removed when its task was cancelled", async () => {
    const [here, go] = [join(root, "job", "here"), join(root, "job", "go")];
    const script = withPid(
      loop(`
      const { existsSync, writeFileSync } = await import("node:fs");
      writeFileSync(${JSON.stringify(here)}, "here");
      while (!existsSync(${JSON.stringify(go)})) await new Promise((r) => setTimeout(r, 5));
      await flare.send({ params: { w: { ...model.params.w, data: model.params.w.data.map((x) => x + 1) } }, meta: { NUM_STEPS_CURRENT_ROUND: 1 } });
    `),
    );
    const executor = await open(script, { paramsTransferType: "DIFF" });
    const abort = new AbortController();
    const given = task(0);
    const cancelled = execute(executor, given, abort.signal);
    await until(() => isThere(here));
    // As the site's parent does it, of which the job process and the trainer hear a moment later.
    rmSync(given.modelPath);
    writeFileSync(go, "");
    await delay(50);
    abort.abort(new FlareError("internal/aborted", "cancelled"));
    expect(await failure(cancelled)).toMatchObject({ code: "internal/aborted" });
    const pid = Number(readFileSync(pidFile(), "utf8"));
    expect((await execute(executor, task(1, [8]))).w).toEqual([1]);
    expect(Number(readFileSync(pidFile(), "utf8"))).toBe(pid);
  });

  it("drops a task that was cancelled, and the same trainer does the next", async () => {
    const script = withPid(
      loop(`
      const { existsSync } = await import("node:fs");
      while (model.currentRound === 0 && !existsSync(${JSON.stringify(join(root, "job", "go"))})) await new Promise((r) => setTimeout(r, 5));
      await flare.send({ params: model.params, meta: { NUM_STEPS_CURRENT_ROUND: 1 } });
    `),
    );
    const executor = await open(script);
    const abort = new AbortController();
    const cancelled = execute(executor, task(0), abort.signal);
    await until(() => isThere(pidFile()));
    abort.abort(new FlareError("internal/aborted", "cancelled"));
    expect(await failure(cancelled)).toMatchObject({ code: "internal/aborted" });
    const next = execute(executor, task(1, [8]));
    writeFileSync(join(root, "job", "go"), "");
    expect((await next).w).toEqual([8]);
    expect(readdirSync(join(job.workspace, "client_api_0", "results"))).toEqual([]);
  });
});

describe("a trainer that fails", () => {
  it("is reported when it has removed its own log", async () => {
    const script = loop(`(await import("node:fs")).rmSync(${JSON.stringify(join(root, "job", "trainer.log"))}); process.exit(3);`);
    const error = await failure(execute(await open(script), task(0)));
    expect(error).toMatchObject({ code: "client-api/trainer-died", facts: { exitCode: 3, output: [] } });
  });

  it("is reported with its exit status and the last lines of its output", async () => {
    const script = loop(`for (let i = 0; i < 50; i += 1) console.log("line " + i); process.exit(3);`);
    const error = await failure(execute(await open(script), task(0)));
    expect(error).toMatchObject({ code: "client-api/trainer-died", facts: { exitCode: 3 } });
    expect(error.facts["output"]).toHaveLength(20);
    expect(error.facts["output"]).toContain("line 49");
  });

  it("is started again as often as allowed, and gets the task again", async () => {
    const script = loop(`
      const { existsSync, appendFileSync, readFileSync } = await import("node:fs");
      const file = ${JSON.stringify(join(root, "job", "tries"))};
      appendFileSync(file, "x");
      if (readFileSync(file, "utf8").length < 3) process.kill(process.pid, "SIGKILL");
      await flare.send({ params: model.params, meta: { NUM_STEPS_CURRENT_ROUND: 1 } });
    `);
    expect((await execute(await open(script, { maxRestarts: 2 }), task(0))).weight).toBe(1);
    expect(restarts.map(({ facts }) => facts["signal"])).toEqual(["SIGKILL", "SIGKILL"]);
  });

  it("is ended when it does not call init in time", async () => {
    // A shell is there at once, where Node may take as long as this by itself.
    const command = ["/bin/sh", "-c", 'echo $$ >"$0"; while :; do :; done', pidFile()];
    const executor = await open("", { launch: { kind: "command", command }, launchTimeoutMs: 1_500 });
    expect(await failure(execute(executor, task(0)))).toMatchObject({ code: "client-api/launch-timeout", facts: { seconds: 1.5 } });
    const pid = Number(readFileSync(pidFile(), "utf8"));
    await until(() => !isRunning(pid));
  });

  it("is killed when it does not heed stop and SIGTERM", async () => {
    const script = withPid(loop(`process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); await new Promise(() => {});`));
    const executor = await open(script, { stopGracePeriodMs: 100 });
    const cut = failure(execute(executor, task(0)));
    await until(() => isThere(pidFile()));
    const pid = Number(readFileSync(pidFile(), "utf8"));
    await executor.stop("aborted by an admin");
    expect(isRunning(pid)).toBe(false);
    expect(await cut).toMatchObject({ code: "internal/aborted", message: "aborted by an admin" });
  });

  it.each([
    ["a missing script", { launch: { kind: "script", path: "other.ts", args: [] } }, "client-api/script-missing"],
    [
      "a script outside the custom folder",
      { launch: { kind: "script", path: "../../../startup/client.ts", args: [] } },
      "client-api/script-missing",
    ],
    ["a script in another language", { launch: { kind: "script", path: "train.R", args: [] } }, "client-api/launch-failed"],
    ["a command that does not exist", { launch: { kind: "command", command: ["no-such-program"] } }, "client-api/launch-failed"],
  ] as const)("names %s", async (_, settings, code) => {
    writeFileSync(join(root, "startup", "client.ts"), "");
    expect(await failure(execute(await open(addOne, settings), task(0)))).toMatchObject({ code });
  });

  it("may be any command, which speaks the protocol by itself", async () => {
    const program = `
      const { Socket } = require("node:net"), { readFileSync, copyFileSync } = require("node:fs"), { join } = require("node:path");
      const boot = JSON.parse(readFileSync(process.env.FLARE_CLIENT_API_BOOTSTRAP, "utf8"));
      const socket = new Socket({ fd: Number(boot.channel.slice(3)) });
      const say = (message) => socket.write(JSON.stringify(message) + "\\n");
      let text = "", folder;
      say({ type: "hello", protocol_version: 1, client: "raw" });
      socket.on("data", (chunk) => {
        text += chunk;
        for (let at = text.indexOf("\\n"); at >= 0; at = text.indexOf("\\n")) {
          const message = JSON.parse(text.slice(0, at));
          text = text.slice(at + 1);
          if (message.type === "welcome") folder = message.result_folder;
          if (message.type === "task") {
            const path = join(folder, "out.safetensors");
            copyFileSync(message.model_path, path);
            say({ type: "result", task_id: message.task_id, path: process.argv[1] ?? path, params_type: "FULL", weight: 4, metrics: {}, meta: {} });
            say({ type: "from-a-later-version" });
          }
          if (message.type === "result_refused") { console.error(message.error.code); process.exit(5); }
          if (message.type === "stop") process.exit(0);
        }
      });`;
    const node = [process.execPath, "-e", program];
    expect(await execute(await open("", { launch: { kind: "command", command: node } }), task(0))).toMatchObject({ weight: 4, w: [1, 2] });
    const stealing = await open("", { launch: { kind: "command", command: [...node, join(root, "startup", "client.key")] } });
    const error = await failure(execute(stealing, task(1)));
    expect(error).toMatchObject({ code: "client-api/trainer-died", facts: { exitCode: 5, output: ["client-api/result-invalid"] } });
  });

  it.each([
    ["a line that is not JSON", "nonsense"],
    [
      "a result before hello",
      JSON.stringify({ type: "result", task_id: "x", path: "x", params_type: "FULL", weight: 1, metrics: {}, meta: {} }),
    ],
    [
      "a result with a weight of zero",
      `${JSON.stringify({ type: "hello", protocol_version: 1, client: "raw" })}\\n${JSON.stringify({ type: "result", task_id: "train-0", path: "x", params_type: "FULL", weight: 0, metrics: {}, meta: {} })}`,
    ],
  ])("is ended when it sends %s", async (_, line) => {
    const program = `const s = new (require("node:net").Socket)({ fd: 3 }); s.write('${line}\\n'); setInterval(() => {}, 1000);`;
    const executor = await open("", { launch: { kind: "command", command: [process.execPath, "-e", program] } });
    expect(await failure(execute(executor, task(0)))).toMatchObject({ code: "client-api/protocol-violation" });
  });

  it("of another protocol version is refused", async () => {
    const program = `const s = new (require("node:net").Socket)({ fd: 3 }); s.write('${JSON.stringify({ type: "hello", protocol_version: 9, client: "raw" })}\\n'); setInterval(() => {}, 1000);`;
    const executor = await open("", { launch: { kind: "command", command: [process.execPath, "-e", program] } });
    expect(await failure(execute(executor, task(0)))).toMatchObject({ code: "client-api/version-mismatch", facts: { theirs: 9, ours: 1 } });
  });
});

function isThere(path: string): boolean {
  try {
    return readFileSync(path, "utf8") !== "";
  } catch {
    return false;
  }
}
