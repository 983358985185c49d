import { mkdir, rename, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TensorSpec } from "@flare-ts/aggregator";
import { writeUpdates } from "../../aggregate/updates/write-updates.ts";
import type { WireForm } from "./large-settings.ts";
import { type TrainerLanguage, trainerPrograms } from "./trainer-programs.ts";

export interface WriteLargeJobInit {
  /** Folder to write the job to. */
  readonly folder: string;
  readonly tensors: readonly TensorSpec[];
  readonly rounds: number;
  readonly sites: number;
  readonly trainer: TrainerLanguage;
  /** How updates are compressed by the job's filter; `undefined`: not. */
  readonly wire: WireForm | undefined;
}

/** Writes a job whose trainers add a number to every parameter of a model of random values, much as FLARE's hello-numpy does. */
export async function writeLargeJob({ folder, tensors, rounds, sites, trainer, wire }: WriteLargeJobInit): Promise<void> {
  const [server, site] = [join(folder, "server"), join(folder, "site")];
  const json = (path: string, value: unknown): Promise<void> => writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`);
  await mkdir(join(server, "config"), { recursive: true });
  await mkdir(join(site, "config"), { recursive: true });
  await mkdir(join(site, "custom"), { recursive: true });
  const deployMap = { server: ["server"], site: Array.from({ length: sites }, (_, i) => `site-${i + 1}`) };
  await json(join(folder, "meta.json"), { name: "add-one", deploy_map: deployMap, min_clients: sites });
  await json(join(server, "config", "config_fed_server.json"), {
    format_version: 2,
    workflows: [{ id: "fedavg", path: "FedAvg", args: { num_rounds: rounds, initial_model: "initial.safetensors" } }],
  });
  const { file, text } = trainerPrograms[trainer];
  const quantizer = { path: "ModelQuantizer", args: { quantization_type: wire } };
  await json(join(site, "config", "config_fed_client.json"), {
    format_version: 2,
    executors: [{ tasks: ["train"], executor: { path: "ClientAPIExecutor", args: { task_script_path: file } } }],
    ...(wire === undefined ? {} : { task_result_filters: [{ tasks: ["train"], filters: [quantizer] }] }),
  });
  await writeFile(join(site, "custom", file), text);
  const scratch = join(folder, "scratch");
  await mkdir(scratch);
  const { signal } = new AbortController();
  const [model = ""] = await writeUpdates({ folder: scratch, tensors, dtype: "float32", count: 1, distinct: 1, signal });
  await rename(model, join(server, "initial.safetensors"));
  await rmdir(scratch);
}
