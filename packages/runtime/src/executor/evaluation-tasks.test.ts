import { readFileSync } from "node:fs";
import { decodeSafetensors } from "@flare-ts/aggregator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TrainerResult } from "../job-process/job-channel.js";
import { OneExecutor, pythonWithNumpy } from "./one-executor.test-support.js";

let executor: OneExecutor;
beforeEach(() => {
  executor = new OneExecutor();
});
afterEach(() => executor.dispose());

const typescript = (body: string): string => `
import * as flare from "@flare-ts/runtime/client";
await flare.init();
while (await flare.isRunning()) {
  const model = await flare.receive();
  if (model === undefined) break;
  const w = { ...model.params.w, data: model.params.w.data.map((x: number) => x + 2) };
  ${body}
}
`;
const inTypescript = typescript(`
  if (flare.isEvaluate()) await flare.send({ metrics: { accuracy: model.params.w.data[0] } });
  else if (flare.isSubmitModel()) await flare.send({ params: { w }, meta: { NUM_STEPS_CURRENT_ROUND: 5 } });
  else if (flare.isTrain()) await flare.send(new flare.FLModel({ params: { w }, metrics: { loss: 1 }, meta: { NUM_STEPS_CURRENT_ROUND: 6 } }));
`);
const inPython = `
import flare_client as flare
flare.init()
while flare.is_running():
    model = flare.receive()
    if flare.is_evaluate():
        flare.send(flare.FLModel(metrics={"accuracy": model.params["w"][0]}))
    elif flare.is_submit_model():
        flare.send(flare.FLModel(params={"w": model.params["w"] + 2}, meta={"NUM_STEPS_CURRENT_ROUND": 5}))
    elif flare.is_train():
        flare.send(flare.FLModel(params={"w": model.params["w"] + 2}, metrics={"loss": 1}, meta={"NUM_STEPS_CURRENT_ROUND": 6}))
`;

/** What a result says, with the values of its tensors. */
function told({ path, paramsType, weight, metrics }: TrainerResult): unknown {
  const tensors = [...decodeSafetensors(readFileSync(path))].map(([name, { data }]) => [name, ...data]);
  return { tensors, paramsType, weight, metrics };
}

describe.each([
  ["in TypeScript", "train.ts", inTypescript],
  ["in Python", "train.py", inPython],
])("a trainer %s", (_, name, script) => {
  it.skipIf(name.endsWith(".py") && pythonWithNumpy === undefined).each([
    ["one for the job", true, "FULL", 3],
    ["one for each task", false, "FULL", 3],
    ["one that is to send differences", true, "DIFF", 2],
  ] as const)("answers each kind of task as it is meant, %s", async (_how, isLaunchedOnce, paramsTransferType, w) => {
    await executor.script(name, script, {
      isLaunchedOnce,
      paramsTransferType,
      evaluateTaskName: "assess",
      submitModelTaskName: "own_model",
    });
    expect(told(await executor.answer("train", 0))).toEqual({
      tensors: [["w", w]],
      paramsType: paramsTransferType,
      weight: 6,
      metrics: { loss: 1 },
    });
    expect(told(await executor.answer("assess", 1))).toEqual({ tensors: [], paramsType: "FULL", weight: 1, metrics: { accuracy: 1 } });
    expect(told(await executor.answer("own_model", 2))).toEqual({
      tensors: [["w", w]],
      paramsType: paramsTransferType,
      weight: 5,
      metrics: {},
    });
  });
});

describe("the client in TypeScript", () => {
  it("keeps params back that come with an evaluation, says so, and takes a weight that is given", async () => {
    await executor.script(
      "train.ts",
      typescript(
        `await flare.send({ params: { w }, paramsType: "DIFF", metrics: { accuracy: 1 }, meta: { NUM_STEPS_CURRENT_ROUND: 9 } });`,
      ),
      { paramsTransferType: "DIFF" },
    );
    expect(told(await executor.answer("validate"))).toEqual({ tensors: [], paramsType: "FULL", weight: 9, metrics: { accuracy: 1 } });
    expect(executor.read("trainer.log")).toBe("flare: 'validate' is an evaluation: its metrics are sent, and its params are not.\n");
  });

  it.each([
    ["validate", "{ params: { w } }", "The answer to the evaluation 'validate' has no metrics."],
    ["train", "{ metrics: { loss: 1 }, meta }", "The answer to the task 'train' has no tensor in its params; metrics alone answer"],
    ["submit_model", "{ params: {}, meta }", "The answer to the task 'submit_model' has no tensor in its params; metrics alone answer"],
  ])("says what the answer to a task '%s' lacks", async (task, answer, message) => {
    await executor.script("train.ts", typescript(`const meta = { NUM_STEPS_CURRENT_ROUND: 1 };\nawait flare.send(${answer});`));
    const { facts } = await executor.failure(task);
    expect((facts["output"] as string[]).join("\n")).toContain(message);
  });

  it("takes a task that is training as well for training", async () => {
    const script = typescript("await flare.send({ params: { w }, meta: { NUM_STEPS_CURRENT_ROUND: 1, isEvaluate: flare.isEvaluate() } });");
    await executor.script("train.ts", script, { trainTaskName: "validate" });
    expect((await executor.answer("validate")).meta).toMatchObject({ isEvaluate: false });
  });
});

describe("a trainer in another language", () => {
  /** One that answers every task with the same file, and ends when that is refused. */
  const program = (file: string): string => `
    const { Socket } = require("node:net"), fs = require("node:fs"), { join } = require("node:path");
    const { channel } = JSON.parse(fs.readFileSync(process.env.FLARE_CLIENT_API_BOOTSTRAP, "utf8"));
    const socket = new Socket({ fd: Number(channel.slice(3)) });
    const say = (message) => socket.write(JSON.stringify(message) + "\\n");
    let text = "", folder;
    say({ type: "hello", protocol_version: 1, client: "raw" });
    socket.on("data", (chunk) => {
      const lines = (text += chunk).split("\\n");
      text = lines.pop();
      for (const message of lines.map((line) => JSON.parse(line))) {
        if (message.type === "welcome") folder = message.result_folder;
        if (message.type === "result_refused") { console.error(message.error.message); process.exit(5); }
        if (message.type === "stop") process.exit(0);
        if (message.type !== "task") continue;
        const path = join(folder, "out.safetensors");
        fs.writeFileSync(path, ${file});
        say({ type: "result", task_id: message.task_id, path, params_type: "FULL", weight: 4, metrics: { accuracy: 1 }, meta: {} });
      }
    });`;
  const empty = String.raw`"\x02\0\0\0\0\0\0\0{}"`;
  const run = (file: string): Promise<void> =>
    executor.open({ launch: { kind: "command", command: [process.execPath, "-e", program(file)] } });

  it("answers an evaluation with a file that has no tensor", async () => {
    await run(empty);
    expect(told(await executor.answer("validate"))).toEqual({ tensors: [], paramsType: "FULL", weight: 4, metrics: { accuracy: 1 } });
  });

  it.each([
    ["validate", "fs.readFileSync(message.model_path)", "is not a safetensors file without tensors; it is answered with metrics alone."],
    ["train", empty, "The answer to the task 'train' has no tensors; metrics alone answer an evaluation only."],
    ["submit_model", empty, "The answer to the task 'submit_model' has no tensors; metrics alone answer an evaluation only."],
  ])("is refused another answer to the task '%s'", async (task, file, message) => {
    await run(file);
    const { facts } = await executor.failure(task);
    expect((facts["output"] as string[]).join("\n")).toContain(message);
  });
});
