import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeSafetensors } from "@flare-ts/aggregator";
import { seededRandom } from "../random.js";

export interface ChaosJobInit {
  /** Folder to write the job to. */
  readonly folder: string;
  readonly rounds: number;
  /** Sites that each round waits for. */
  readonly sites: number;
  /** Numbers of the model, 4 bytes each. */
  readonly parameters: number;
  /** Milliseconds that a trainer takes for a round; they do not change the result. */
  readonly trainMs: number;
  /** What the trainers are written in; Python needs NumPy at each site. @default "typescript" */
  readonly trainer?: TrainerLanguage;
  /** What the job goes through. @default "rounds" */
  readonly course?: JobCourse;
}

/** How the name of a chaos job's training script begins, by which its process is found. */
export const trainScriptStem = "train.";

/** Languages that the trainers of a chaos job can be written in. */
export const trainerLanguages = ["typescript", "python"] as const;

/**
 * What a chaos job can go through: rounds of FedAvg alone; these, SCAFFOLD, cyclic training and evaluations, a quarter of the rounds each; or
 * rounds of FedAvg whose updates the server adds without reading them.
 */
export const jobCourses = ["rounds", "workflows", "secure"] as const;

export type JobCourse = (typeof jobCourses)[number];

export type TrainerLanguage = (typeof trainerLanguages)[number];

/** Writes a job whose trainers compute the same update whenever they are given the same model, and another one for each round and site. */
export async function writeChaosJob(init: ChaosJobInit): Promise<void> {
  const { folder, rounds, sites, parameters, trainMs, trainer = "typescript", course = "rounds" } = init;
  const script = trainScripts[trainer];
  const app = join(folder, "app");
  await mkdir(join(app, "config"), { recursive: true });
  await mkdir(join(app, "custom"), { recursive: true });
  const json = (path: string, value: unknown): Promise<void> => writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`);
  const secure = course === "secure" ? { secure_aggregation: { min_sites: sites, max_weight: 1000 } } : {};
  await json(join(folder, "meta.json"), { name: "chaos", deploy_map: { app: ["@ALL"] }, min_clients: sites, ...secure });
  await json(join(app, "config", "config_fed_server.json"), {
    format_version: 2,
    workflows: course === "workflows" ? allWorkflows(sites, rounds) : [fedAvg(sites, rounds)],
  });
  await json(join(app, "config", "config_fed_client.json"), {
    format_version: 2,
    executors: [
      {
        tasks: ["train", "submit_model", "validate"],
        executor: {
          path: "ClientAPIExecutor",
          args: { task_script_path: script.file, task_script_args: [String(trainMs)] },
        },
      },
    ],
  });
  await writeFile(join(app, "custom", script.file), script.text);
  const random = seededRandom(parameters);
  const data = Float32Array.from({ length: parameters }, () => random.next() - 0.5);
  await writeFile(join(app, "initial_model.safetensors"), encodeSafetensors([["weight", { dtype: "F32", shape: [parameters], data }]]));
}

function fedAvg(sites: number, rounds: number): object {
  return { id: "fedavg", path: "FedAvg", args: { min_clients: sites, num_rounds: rounds, initial_model: "initial_model.safetensors" } };
}

function scaffold(sites: number, rounds: number): object {
  return { id: "scaffold", path: "Scaffold", args: { min_clients: sites, num_rounds: rounds } };
}

function allWorkflows(sites: number, rounds: number): readonly object[] {
  const quarter = Math.max(1, Math.round(rounds / 4));
  // One round is a turn for each site; an evaluation is a round in which models are handed in, one for the server's, and one for each site's.
  const cyclic = { id: "cyclic", path: "Cyclic", args: { num_rounds: Math.ceil(quarter / sites), order: "RANDOM", seed: 1 } };
  const evaluations = Array.from({ length: Math.ceil(quarter / (sites + 2)) }, (_, i) => ({
    id: `evaluation-${i}`,
    path: "CrossSiteModelEval",
  }));
  return [fedAvg(sites, quarter), scaffold(sites, quarter), cyclic, ...evaluations];
}

const typescript = `import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as flare from "@flare-ts/runtime/client";

const [trainMs = "0"] = process.argv.slice(2);
await flare.init();
const site = flare.getSiteName();
const { stateFolder = "." } = flare.systemInfo();

/** The site's control variates from before a round, which a trainer that is started anew needs too. */
const ownBefore = (model: flare.FLModel, length: number): Float32Array => {
  if (model.currentRound === model.startRound) return new Float32Array(length);
  return new Float32Array(Uint8Array.from(readFileSync(join(stateFolder, "own-" + model.currentRound))).buffer);
};
const keepOwn = (round: number, own: Float32Array): void => {
  const file = join(stateFolder, "own-" + round);
  writeFileSync(file + ".part", new Uint8Array(own.buffer));
  renameSync(file + ".part", file);
};

while (await flare.isRunning()) {
  const model = await flare.receive();
  if (model === undefined) break;
  await sleep(Number(trainMs));
  const tensor = model.params.weight;
  if (flare.isEvaluate()) {
    await flare.send(new flare.FLModel({ metrics: { mean: tensor.data.reduce((sum, value) => sum + value, 0) / tensor.data.length } }));
    continue;
  }
  // A step that depends on the model, the round and the site, and on nothing else.
  let state = [...(site + "/" + model.currentRound)].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, 7);
  const data = tensor.data.map((value) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return 0.9 * value + state / 2 ** 33;
  });
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const answer = { params: { weight: { ...tensor, data } }, paramsType: "FULL", metrics: { mean }, meta: { NUM_STEPS_CURRENT_ROUND: 10 + site.length } } as const;
  const control = model.controlVariates?.weight;
  if (control === undefined) await flare.send(new flare.FLModel(answer));
  else {
    const before = ownBefore(model, data.length);
    const own = before.map((value, i) => value - control.data[i] + 0.1 * (tensor.data[i] - data[i]));
    keepOwn(model.currentRound + 1, own);
    const changes = { weight: { ...control, data: own.map((value, i) => value - before[i]) } };
    await flare.send(new flare.FLModel({ ...answer, controlChanges: changes }));
  }
}
flare.shutdown();
`;

const python = `import os
import sys
import time
import zlib

import flare_client as flare
import numpy as np

train_ms = float(sys.argv[1])
flare.init()
site = flare.get_site_name()
state_folder = flare.system_info()["state_folder"] or "."


def own_file(number):
    """The site's control variates from before a round, which a trainer that is started anew needs too."""
    return os.path.join(state_folder, f"own-{number}.npy")


while flare.is_running():
    model = flare.receive()
    if model is None:
        break
    time.sleep(train_ms / 1000)
    values = model.params["weight"]
    received = values.copy()
    if flare.is_evaluate():
        flare.send(flare.FLModel(metrics={"mean": float(values.mean(dtype=np.float64))}))
        continue
    # A step that depends on the model, the round and the site, and on nothing else.
    step = np.random.default_rng(zlib.crc32(f"{site}/{model.current_round}".encode()))
    values *= np.float32(0.9)
    values += step.random(values.size, dtype=np.float32) - np.float32(0.5)
    meta = {"NUM_STEPS_CURRENT_ROUND": 10 + len(site)}
    if "scaffold_c_global" in model.meta:
        is_first = model.current_round == model.start_round
        before = np.zeros_like(values) if is_first else np.load(own_file(model.current_round))
        own = before - model.meta["scaffold_c_global"]["weight"] + np.float32(0.1) * (received - values)
        with open(own_file("next"), "wb") as file:
            np.save(file, own)
        os.replace(own_file("next"), own_file(model.current_round + 1))
        meta["scaffold_c_diff"] = {"weight": own - before}
    flare.send(
        flare.FLModel(
            params={"weight": values},
            params_type=flare.ParamsType.FULL,
            metrics={"mean": float(values.mean(dtype=np.float64))},
            meta=meta,
        )
    )
flare.shutdown()
`;

const trainScripts: Readonly<Record<TrainerLanguage, { readonly file: string; readonly text: string }>> = {
  typescript: { file: `${trainScriptStem}ts`, text: typescript },
  python: { file: `${trainScriptStem}py`, text: python },
};
