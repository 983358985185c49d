import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeSafetensors, type Tensor } from "@flare-ts/aggregator";

export interface ScriptJobInit {
  /** Folder to write the job to. */
  readonly folder: string;
  /** `meta.json`. */
  readonly meta: object;
  /** Arguments of FedAvg, beside the first model. */
  readonly workflow: object;
  /** Workflows after that. @default none */
  readonly more?: readonly object[];
  /** Tasks that the script takes. @default ["train"] */
  readonly tasks?: readonly string[];
  /** Arguments of the executor, beside the script. @default none */
  readonly executor?: object;
  /** The training script, in JavaScript. */
  readonly script: string;
  /** The first model. */
  readonly model: Readonly<Record<string, Tensor>>;
}

/** Writes a job of one app with a training script of its own; gives its folder. */
export async function writeScriptJob(init: ScriptJobInit): Promise<string> {
  const { folder, meta, workflow, more = [], tasks = ["train"], executor = {}, script, model } = init;
  const app = join(folder, "app");
  await mkdir(join(app, "config"), { recursive: true });
  await mkdir(join(app, "custom"), { recursive: true });
  const json = async (path: string, value: unknown): Promise<void> => writeFile(path, JSON.stringify(value));
  await json(join(folder, "meta.json"), meta);
  const fedAvg = { id: "fedavg", path: "FedAvg", args: { ...workflow, initial_model: "initial.safetensors" } };
  await json(join(app, "config/config_fed_server.json"), { format_version: 2, workflows: [fedAvg, ...more] });
  const trains = { tasks, executor: { path: "ClientAPIExecutor", args: { task_script_path: "train.js", ...executor } } };
  await json(join(app, "config/config_fed_client.json"), { format_version: 2, executors: [trains] });
  await writeFile(join(app, "custom", "train.js"), script);
  await writeFile(join(app, "initial.safetensors"), encodeSafetensors(Object.entries(model)));
  return folder;
}
