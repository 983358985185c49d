import { z } from "zod";
import { siteNameSchema } from "../ids/names.js";
import type { ComponentClass } from "./component.js";
import { jobPathSchema } from "./job-path.js";
import { namesOrPatternSchema } from "./names-or-pattern.js";
import { seconds } from "./seconds.js";
import { parseStopCondition, type StopCondition } from "./stop-condition.js";
import { milliseconds, seedOf, type WorkflowJob } from "./workflow-job.js";

/** Settings of the workflow FedAvg, complete: nobody parses or defaults after this. */
export interface FedAvgSettings {
  readonly kind: "FedAvg";
  /** Name of the task that sites get. */
  readonly taskName: string;
  /** Sites that are asked in a round. */
  readonly numClients: number;
  /** Updates that a round needs. */
  readonly minClients: number;
  readonly numRounds: number;
  /** Number of the first round, as trainers see it. */
  readonly startRound: number;
  /**
   * Deadline of a round, since it opened. Where neither this nor `waitAfterMinReceivedMs` is set, deadlines follow from how
   * long the sites took in earlier rounds.
   */
  readonly trainTimeoutMs: number | undefined;
  /**
   * Once the quorum has answered, the others have this long, or as long as the quorum took if that is more. `undefined`:
   * they have until `trainTimeoutMs`.
   */
  readonly waitAfterMinReceivedMs: number | undefined;
  readonly stopCondition: StopCondition | undefined;
  /** Rounds without a better key metric after which training ends. */
  readonly patience: number | undefined;
  /** Metric by which the best model is chosen. */
  readonly keyMetric: string;
  /** Whether a smaller key metric is better. */
  readonly isKeyMetricNegated: boolean;
  /** Factor on the weight of a site's update; 1 for a site that is not named. */
  readonly aggregationWeights: Readonly<Record<string, number>>;
  /** Tensors that are not combined: the model keeps its own, whatever sites send. */
  readonly excludeVars: readonly string[] | RegExp | undefined;
  /** How updates are combined. */
  readonly strategy: StrategyChoice;
  /** Weight of FedProx's proximal term as `fedprox_mu` gives it; trainers are told of it. */
  readonly fedproxMu: number | undefined;
  /** Seed of the sampling, 0 … 2^32 - 1. */
  readonly seed: number;
}

/** A strategy of the aggregator by name. Name and settings are checked by whoever knows the strategies, when a job is read. */
export interface StrategyChoice {
  readonly name: string;
  /** As the job writes them, without defaults. */
  readonly settings: Readonly<Record<string, StrategySetting>>;
}

/** What a setting of a strategy may be written as. */
export type StrategySetting = string | number | boolean | readonly string[];

/** The strategy that FLARE's argument `fedprox_mu` stands for. */
const fedProx = "fed-prox";

const strategySetting = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())], {
  error: "must be a number, a text, true or false, or a list of texts",
});

const argsSchema = z
  .strictObject({
    num_clients: z.int().min(1).optional(),
    num_rounds: z.int().min(1).max(1_000_000).default(5),
    start_round: z.int().min(0).max(1_000_000).default(0),
    min_clients: z.int().min(1).optional(),
    train_timeout: seconds.optional(),
    wait_time_after_min_received: seconds.optional(),
    stop_cond: z
      .string()
      .transform((text, context) => {
        const condition = parseStopCondition(text);
        if (condition === undefined) context.addIssue({ code: "custom", message: "must look like 'accuracy >= 0.95'" });
        return condition;
      })
      .optional(),
    patience: z.int().min(1).optional(),
    key_metric: z.string().min(1).optional(),
    negate_key_metric: z.boolean().default(false),
    aggregation_weights: z.record(siteNameSchema, z.number().positive()).default({}),
    task_name: z.string().min(1).default("train"),
    initial_model: jobPathSchema.optional(),
    seed: z.int().min(0).max(0xffff_ffff).optional(),
    exclude_vars: namesOrPatternSchema.optional(),
    strategy: z.string().min(1).optional(),
    strategy_args: z.record(z.string(), strategySetting).optional(),
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
  .refine((args) => args.min_clients === undefined || args.num_clients === undefined || args.min_clients <= args.num_clients, {
    path: ["min_clients"],
    message: "must not be more than num_clients",
  });

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
  const numClients = Math.min(args.num_clients ?? job.sites.length, job.sites.length);
  return Object.freeze({
    kind: "FedAvg",
    taskName: args.task_name,
    numClients,
    minClients: Math.min(args.min_clients ?? job.minClients ?? numClients, numClients),
    numRounds: args.num_rounds,
    startRound: args.start_round,
    trainTimeoutMs: milliseconds(args.train_timeout),
    waitAfterMinReceivedMs: milliseconds(args.wait_time_after_min_received),
    stopCondition: args.stop_cond,
    patience: args.patience,
    keyMetric: args.key_metric ?? args.stop_cond?.metric ?? "val_accuracy",
    isKeyMetricNegated: args.negate_key_metric,
    aggregationWeights: Object.freeze({ ...args.aggregation_weights }),
    excludeVars: args.exclude_vars,
    strategy: strategyOf(args),
    fedproxMu: args.fedprox_mu,
    seed: args.seed ?? seedOf(job.jobId),
  });
}

/** The strategy that the arguments name: `strategy`, else what `fedprox_mu` stands for, else the weighted mean. */
export function strategyOf({ strategy, strategy_args = {}, fedprox_mu }: FedAvgArgs): StrategyChoice {
  if (strategy !== undefined) return Object.freeze({ name: strategy, settings: Object.freeze({ ...strategy_args }) });
  if (fedprox_mu === undefined) return Object.freeze({ name: "fed-avg", settings: Object.freeze({}) });
  return Object.freeze({ name: fedProx, settings: Object.freeze({ mu: fedprox_mu }) });
}
