import { z } from "zod";
import type { ComponentClass } from "./component.js";
import {
  compileRounds,
  type RoundSettings,
  requireEnoughClients,
  roundShape,
  type StrategySetting,
  strategyArgsSchema,
} from "./round-args.js";
import type { WorkflowJob } from "./workflow-job.js";

/** Settings of the workflow Scaffold, complete. */
export interface ScaffoldSettings extends RoundSettings {
  readonly kind: "Scaffold";
  /** Settings of the strategy `scaffold-round` as the job writes them, without the number of sites. */
  readonly strategyArgs: Readonly<Record<string, StrategySetting>>;
}

const argsSchema = z
  .strictObject({
    ...roundShape,
    strategy_args: strategyArgsSchema
      .refine((settings) => !Object.hasOwn(settings, "totalClients"), {
        path: ["totalClients"],
        message: "is the number of the job's sites; remove it",
      })
      .default({}),
  })
  .superRefine(requireEnoughClients);

/** Arguments of Scaffold as a job writes them. */
export type ScaffoldArgs = z.output<typeof argsSchema> & { readonly kind: ScaffoldSettings["kind"] };

export const scaffoldClass: ComponentClass<ScaffoldArgs> = {
  name: "Scaffold",
  args: argsSchema.transform((args) => ({ kind: "Scaffold" as const, ...args })),
  argNames: Object.keys(argsSchema.shape),
  refusedArgs: {
    model: "give the first model as a safetensors file by 'initial_model'",
    persistor_id: "give the first model as a safetensors file by 'initial_model'",
    allow_empty_global_weights: "a job begins with a model, that of 'initial_model'; remove it",
    save_filename: "the global model is kept in the store and comes with `flare job download`; remove it",
    memory_gc_rounds: "nothing is kept in memory between rounds; remove it",
    enable_tensor_disk_offload: "updates are always on disk; remove it",
    aggregator: "no class is loaded, and SCAFFOLD has its own way to combine updates; remove it",
    strategy: "SCAFFOLD has its own way to combine updates; remove it, or name it as FedAvg's",
  },
  ignoredArgs: {
    ignore_result_error: "'ignore_result_error' has no effect here: a round goes on without what cannot be used, as 'min_clients' allows",
  },
};

/** Completes the arguments with what the job and its sites give. */
export function compileScaffold(args: ScaffoldArgs, job: WorkflowJob): ScaffoldSettings {
  return Object.freeze({ kind: "Scaffold", ...compileRounds(args, job), strategyArgs: Object.freeze({ ...args.strategy_args }) });
}
