import { z } from "zod";
import type { ComponentClass } from "./component.js";
import { namesOrPatternSchema } from "./names-or-pattern.js";
import {
  compileRounds,
  type RoundSettings,
  requireEnoughClients,
  roundShape,
  type StrategySetting,
  strategyArgsSchema,
} from "./round-args.js";
import type { WorkflowJob } from "./workflow-job.js";

/** Settings of the workflow FedAvg, complete: nobody parses or defaults after this. */
export interface FedAvgSettings extends RoundSettings {
  readonly kind: "FedAvg";
  /** Tensors that are not combined: the model keeps its own, whatever sites send. */
  readonly excludeVars: readonly string[] | RegExp | undefined;
  /** How updates are combined. */
  readonly strategy: StrategyChoice;
  /** Weight of FedProx's proximal term as `fedprox_mu` gives it; trainers are told of it. */
  readonly fedproxMu: number | undefined;
}

/** A strategy of the aggregator by name. Name and settings are checked by whoever knows the strategies, when a job is read. */
export interface StrategyChoice {
  readonly name: string;
  /** As the job writes them, without defaults. */
  readonly settings: Readonly<Record<string, StrategySetting>>;
}

/** The strategy that FLARE's argument `fedprox_mu` stands for. */
const fedProx = "fed-prox";

const argsSchema = z
  .strictObject({
    ...roundShape,
    exclude_vars: namesOrPatternSchema.optional(),
    strategy: z.string().min(1).optional(),
    strategy_args: strategyArgsSchema.optional(),
    fedprox_mu: z.number().min(0).max(1000).optional(),
  })
  .refine((args) => args.strategy_args === undefined || args.strategy !== undefined, {
    path: ["strategy_args"],
    message: "are settings of a 'strategy', which is not named",
  })
  .refine((args) => args.fedprox_mu === undefined || args.strategy !== fedProx, {
    path: ["fedprox_mu"],
    message: `is the strategy ${fedProx} with mu in strategy_args; leave one of them`,
  })
  .superRefine(requireEnoughClients);

/** Arguments of FedAvg as a job writes them. */
export type FedAvgArgs = z.output<typeof argsSchema> & { readonly kind: FedAvgSettings["kind"] };

export const fedAvgClass: ComponentClass<FedAvgArgs> = {
  name: "FedAvg",
  args: argsSchema.transform((args) => ({ kind: "FedAvg" as const, ...args })),
  argNames: Object.keys(argsSchema.shape),
  refusedArgs: {
    model: "give the first model as a safetensors file by 'initial_model'",
    save_filename: "the global model is kept in the store and comes with `flare job download`; remove it",
    memory_gc_rounds: "nothing is kept in memory between rounds; remove it",
    enable_tensor_disk_offload: "updates are always on disk; remove it",
    aggregator: "no class is loaded; name a way to combine updates by 'strategy'",
  },
};

/** Completes FedAvg's arguments with what the job and its sites give. */
export function compileFedAvg(args: FedAvgArgs, job: WorkflowJob): FedAvgSettings {
  return Object.freeze({
    kind: "FedAvg",
    ...compileRounds(args, job),
    excludeVars: args.exclude_vars,
    strategy: strategyOf(args),
    fedproxMu: args.fedprox_mu,
  });
}

/** The strategy that the arguments name: `strategy`, else what `fedprox_mu` stands for, else the weighted mean. */
export function strategyOf({ strategy, strategy_args = {}, fedprox_mu }: FedAvgArgs): StrategyChoice {
  if (strategy !== undefined) return Object.freeze({ name: strategy, settings: Object.freeze({ ...strategy_args }) });
  if (fedprox_mu === undefined) return Object.freeze({ name: "fed-avg", settings: Object.freeze({}) });
  return Object.freeze({ name: fedProx, settings: Object.freeze({ mu: fedprox_mu }) });
}
