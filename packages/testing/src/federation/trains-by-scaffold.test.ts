import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeSafetensors, encodeSafetensors } from "@flare-ts/aggregator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { letGo } from "./add-one-job.js";
import { eventually } from "./eventually.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";
import { descendantsOf } from "./process-tree.js";

const python = [process.env["FLARE_PYTHON"] ?? "python3", "/usr/bin/python3"].find(
  (command) => spawnSync(command, ["-c", "import numpy, torch"]).status === 0,
);
const isSkipped = python === undefined && process.env["FLARE_NO_SKIPS"] !== "1";

const [rounds, steps, rate] = [3, 4, 0.25] as const;
const initial = [0.5, -1, 2] as const;
/** What the sites train to, with their own curvature and number of samples. */
const sites = {
  "site-1": { curvature: 1, optimum: 1, samples: 30 },
  "site-2": { curvature: 0.5, optimum: -3, samples: 10 },
} as const;

/** Of each participant the process that is killed: site-2's waits in the middle of its task, site-1's has just answered. */
const killable = { server: /server-job-main/, "site-1": /train\.(ts|js)/, "site-2": /train\.py/ } as const;

describe.skipIf(isSkipped)("SCAFFOLD, in TypeScript and in Python with PyTorch (Debian package python3-torch)", () => {
  let federation: Federation;
  let folder: string;
  let job: string;

  beforeAll(async () => {
    process.env["FLARE_PYTHON"] = python ?? "python3";
    folder = await mkdtemp(join(tmpdir(), "flare-scaffold-"));
    job = await writeJob(join(folder, "job"));
    federation = await createFederation({ sites: Object.keys(sites) });
    await federation.startAll();
  });

  afterAll(async () => {
    await federation.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  it("makes the model of a slow reference, and the same bytes when the server's job process or a trainer is killed in each round", async () => {
    const undisturbed = await runJob([], "server");
    const wanted = initial.map((value) => reference(value));
    expect([...undisturbed.keys()]).toEqual(["weight"]);
    for (const [i, value] of valuesOf(undisturbed).entries()) {
      // All numbers are below 8; what rounds of them in float32 comes to stays within a step of 2^-22 a round.
      expect(Math.abs(value - (wanted[i] ?? Number.NaN))).toBeLessThan(rounds * 2 ** -22);
    }
    const disturbed: Record<string, readonly number[]> = {};
    for (const whose of ["server", "site-1", "site-2"] as const) disturbed[whose] = valuesOf(await runJob([0, 1, 2], whose));
    expect(Object.entries(disturbed).filter(([, values]) => values.join() !== valuesOf(undisturbed).join())).toEqual([]);
  });

  /** Runs the job, kills the server's job process or a site's trainer once in each round of `when`, and gives the result's tensors. */
  async function runJob(when: readonly number[], whose: keyof typeof killable): Promise<ReturnType<typeof decodeSafetensors>> {
    const admin = await federation.admin();
    const { jobId } = await admin.submitJob(job);
    const killed: number[] = [];
    const entries = await followJob(federation, jobId, async ({ event }) => {
      if (event.type !== "update-accepted" || event.site === "site-2") return;
      if (when.includes(event.round)) {
        killed.push(event.round);
        process.kill(await eventually("what is to be killed runs", () => processOf(whose)), "SIGKILL");
      }
      await letGo(federation, jobId, "site-2", event.round);
    });
    expect(entries.at(-1)?.event).toMatchObject({
      type: "job-ended",
      status: "FINISHED:COMPLETED",
      reason: `all ${rounds} rounds are done`,
    });
    expect(killed).toEqual(when);
    for (const site of Object.keys(sites))
      await eventually(`nothing of trainers' state is left at ${site}`, () => !existsSync(join(federation.kitOf(site), jobId, "state")));
    const forms = entries.flatMap(({ event }) => (event.type === "update-accepted" ? [`${event.site} ${event.paramsType}`] : []));
    expect(new Set(forms)).toEqual(new Set(["site-1 FULL", "site-2 DIFF"]));
    const { dir, files } = await admin.downloadJob(jobId, join(folder, jobId));
    admin.close();
    const path = join(dir, files.find((file) => file.path.endsWith("FL_global_model.safetensors"))?.path ?? "");
    return decodeSafetensors(await readFile(path), path);
  }

  function processOf(whose: keyof typeof killable): number | undefined {
    const parent = federation.pidOf(whose);
    return parent === undefined ? undefined : descendantsOf(parent).find(({ commandLine }) => killable[whose].test(commandLine))?.pid;
  }
});

/** Algorithm 1 of SCAFFOLD with option II in float64, for one element; the weights of sites are FLARE's. */
function reference(value: number): number {
  let [x, c] = [value, 0];
  const own = { "site-1": 0, "site-2": 0 };
  for (let round = 0; round < rounds; round++) {
    let [moved, changed, samplesOfAll] = [0, 0, 0];
    for (const site of ["site-1", "site-2"] as const) {
      const { curvature, optimum, samples } = sites[site];
      let y = x;
      for (let step = 0; step < steps; step++) y -= rate * (curvature * (y - optimum) - own[site] + c);
      const next = own[site] - c + (x - y) / (steps * rate);
      moved += samples * (y - x);
      changed += next - own[site];
      samplesOfAll += samples;
      own[site] = next;
    }
    x += moved / samplesOfAll;
    c += changed / 2;
  }
  return x;
}

function valuesOf(tensors: ReturnType<typeof decodeSafetensors>): readonly number[] {
  return [...((tensors.get("weight")?.data ?? []) as Float32Array)];
}

async function writeJob(job: string): Promise<string> {
  const json = async (path: string, value: unknown): Promise<void> => {
    await mkdir(join(job, path, ".."), { recursive: true });
    await writeFile(join(job, path), JSON.stringify(value));
  };
  await json("meta.json", { name: "scaffold", deploy_map: { typescript: ["server", "site-1"], python: ["site-2"] }, min_clients: 2 });
  const path = "nvflare.app_common.workflows.scaffold.Scaffold";
  const workflow = { id: "scaffold", path, args: { num_rounds: rounds, initial_model: "initial.safetensors" } };
  await json("typescript/config/config_fed_server.json", { format_version: 2, workflows: [workflow] });
  for (const [app, args] of [
    ["typescript", { task_script_path: "train.ts" }],
    ["python", { task_script_path: "train.py", params_transfer_type: "DIFF" }],
  ] as const) {
    await json(`${app}/config/config_fed_client.json`, {
      format_version: 2,
      executors: [{ tasks: ["train"], executor: { path: "ClientAPIExecutor", args } }],
    });
    await mkdir(join(job, app, "custom"), { recursive: true });
  }
  await writeFile(join(job, "typescript", "custom", "train.ts"), typescriptTrainer);
  await writeFile(join(job, "python", "custom", "train.py"), pythonTrainer);
  const weight = { dtype: "F32", shape: [1, initial.length], data: Float32Array.from(initial) } as const;
  await writeFile(join(job, "typescript", "initial.safetensors"), encodeSafetensors([["weight", weight]]));
  return job;
}

const typescriptTrainer = `import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as flare from "@flare-ts/runtime/client";

const { curvature, optimum, samples } = ${JSON.stringify(sites["site-1"])};
await flare.init();
/** By round, so that a task that comes again begins with what it began with before. */
const fileOf = (round: number): string => join(flare.systemInfo().stateFolder ?? ".", \`own-\${round}.json\`);
while (await flare.isRunning()) {
  const model = await flare.receive();
  if (model?.controlVariates === undefined) break;
  const { weight } = model.params;
  const control = model.controlVariates.weight;
  const [x, c] = [[...weight.data], [...control.data]] as number[][];
  const before: number[] = model.currentRound === model.startRound ? x.map(() => 0) : JSON.parse(readFileSync(fileOf(model.currentRound), "utf8"));
  const y = x.map((value, i) => {
    for (let step = 0; step < ${steps}; step++) value -= ${rate} * (curvature * (value - optimum) - before[i] + c[i]);
    return value;
  });
  const own = before.map((value, i) => value - c[i] + (x[i] - y[i]) / ${steps * rate});
  writeFileSync(fileOf(model.currentRound + 1), JSON.stringify(own));
  await flare.send({
    params: { weight: { ...weight, data: Float32Array.from(y) } },
    controlChanges: { weight: { ...control, data: Float32Array.from(own, (value, i) => value - before[i]) } },
    meta: { NUM_STEPS_CURRENT_ROUND: samples },
  });
}
flare.shutdown();
`;

const pythonTrainer = `import copy
import os
import time

import nvflare.client as flare
import torch
from nvflare.app_common.app_constant import AlgorithmConstants
from nvflare.app_opt.pt.scaffold import PTScaffoldHelper, get_lr_values

model = torch.nn.Linear(${initial.length}, 1, bias=False)
optimizer = torch.optim.SGD(model.parameters(), lr=${rate})
helper = PTScaffoldHelper()
helper.init(model=model)
flare.init()
while flare.is_running():
    received = flare.receive()
    while not os.path.exists(f"go-{received.current_round}"):
        time.sleep(0.01)
    helper.load_global_controls(weights=received.meta[AlgorithmConstants.SCAFFOLD_CTRL_GLOBAL])
    c_global, c_local = helper.get_params()
    model.load_state_dict(received.params)
    model_global = copy.deepcopy(model)
    for _ in range(${steps}):
        optimizer.zero_grad()
        (0.5 * ${sites["site-2"].curvature} * (model.weight - ${sites["site-2"].optimum}).square().sum()).backward()
        optimizer.step()
        lr = get_lr_values(optimizer)[0]
        helper.model_update(model=model, curr_lr=lr, c_global_para=c_global, c_local_para=c_local)
    helper.terms_update(model=model, curr_lr=lr, c_global_para=c_global, c_local_para=c_local, model_global=model_global)
    meta = {"NUM_STEPS_CURRENT_ROUND": ${sites["site-2"].samples}, AlgorithmConstants.SCAFFOLD_CTRL_DIFF: helper.get_delta_controls()}
    flare.send(flare.FLModel(params=model.state_dict(), meta=meta))
`;
