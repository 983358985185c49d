import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeSafetensors } from "@flare-ts/aggregator";
import { seededRandom } from "../random.js";
import { type TrainerLanguage, trainScripts } from "./train-scripts.js";

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
  /** Milliseconds that it takes longer, at most; how much, its site and the round decide. @default 0 */
  readonly unevenMs?: number;
  /** What the trainers are written in; Python needs NumPy at each site. @default "typescript" */
  readonly trainer?: TrainerLanguage;
  /** What the job goes through. @default "rounds" */
  readonly course?: JobCourse;
}

/**
 * What a chaos job can go through: rounds of FedAvg alone; these, SCAFFOLD, cyclic training and evaluations, a quarter of the rounds each;
 * rounds of FedAvg whose updates the server adds without reading them; or FedBuff, in which sites do not wait for each other.
 */
export const jobCourses = ["rounds", "workflows", "secure", "async"] as const;

export type JobCourse = (typeof jobCourses)[number];

/** What FedBuff does with updates: neither rate nor exponent is one at which a mistake would not show. */
export const fedBuffSettings = { learningRate: 0.5, stalenessExponent: 0.5 } as const;

/** Writes a job whose trainers compute the same update whenever they are given the same model, and another one for each round and site. */
export async function writeChaosJob(init: ChaosJobInit): Promise<void> {
  const { folder, rounds, sites, parameters, trainMs, unevenMs = 0, trainer = "typescript", course = "rounds" } = init;
  const script = trainScripts[trainer];
  const app = join(folder, "app");
  await mkdir(join(app, "config"), { recursive: true });
  await mkdir(join(app, "custom"), { recursive: true });
  const json = (path: string, value: unknown): Promise<void> => writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`);
  const secure = course === "secure" ? { secure_aggregation: { min_sites: sites, max_weight: 1000 } } : {};
  await json(join(folder, "meta.json"), { name: "chaos", deploy_map: { app: ["@ALL"] }, min_clients: sites, ...secure });
  await json(join(app, "config", "config_fed_server.json"), {
    format_version: 2,
    workflows: workflowsOf[course](sites, rounds),
  });
  await json(join(app, "config", "config_fed_client.json"), {
    format_version: 2,
    executors: [
      {
        tasks: ["train", "submit_model", "validate"],
        executor: {
          path: "ClientAPIExecutor",
          args: { task_script_path: script.file, task_script_args: [String(trainMs), String(unevenMs)] },
        },
      },
    ],
  });
  await writeFile(join(app, "custom", script.file), script.text);
  const random = seededRandom(parameters);
  const data = Float32Array.from({ length: parameters }, () => random.next() - 0.5);
  await writeFile(initialModelOf(folder), encodeSafetensors([["weight", { dtype: "F32", shape: [parameters], data }]]));
}

/** The model that each chaos job begins with, in its folder. */
export function initialModelOf(jobFolder: string): string {
  return join(jobFolder, "app", initialModel);
}

const initialModel = "initial_model.safetensors";

function fedAvg(sites: number, rounds: number): object {
  return { id: "fedavg", path: "FedAvg", args: { min_clients: sites, num_rounds: rounds, initial_model: initialModel } };
}

/**
 * Updates that make a model in FedBuff: fewer than there are sites, so that nobody waits for all others, and several where three sites or more
 * are there.
 */
function updatesForModel(sites: number): number {
  return Math.ceil(sites / 2);
}

function fedBuff(sites: number, rounds: number): object {
  const args = { num_rounds: rounds, num_updates_for_model: updatesForModel(sites), initial_model: initialModel, min_clients: sites };
  return { id: "fedbuff", path: "FedBuff", args: { ...args, strategy_args: fedBuffSettings } };
}

function scaffold(sites: number, rounds: number): object {
  return { id: "scaffold", path: "Scaffold", args: { min_clients: sites, num_rounds: rounds } };
}

const workflowsOf: Readonly<Record<JobCourse, (sites: number, rounds: number) => readonly object[]>> = {
  rounds: (...args) => [fedAvg(...args)],
  secure: (...args) => [fedAvg(...args)],
  async: (...args) => [fedBuff(...args)],
  workflows: allWorkflows,
};

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
