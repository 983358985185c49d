import { z } from "zod";
import { siteNameSchema } from "../ids/names.js";
import type { ComponentClass } from "./component.js";
import { jobPathSchema } from "./job-path.js";
import { seconds } from "./seconds.js";
import { parseStopCondition, type StopCondition } from "./stop-condition.js";

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
  /** Number of the first round. */
  readonly startRound: number;
  /** Deadline of a round, since it opened. */
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
  /** The model of the first round: a safetensors file, relative to the folder of the server's app. */
  readonly initialModel: string;
  /** Seed of the sampling, 0 … 2^32 - 1. */
  readonly seed: number;
}

/** What FedAvg's defaults depend on. */
export interface FedAvgJob {
  readonly jobId: string;
  /** Sites that take part. */
  readonly sites: readonly string[];
  /** `min_clients` of the job; `undefined` when it was not written. */
  readonly minClients: number | undefined;
}

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
    initial_model: jobPathSchema,
    seed: z.int().min(0).max(0xffff_ffff).optional(),
  })
  .refine((args) => args.min_clients === undefined || args.num_clients === undefined || args.min_clients <= args.num_clients, {
    path: ["min_clients"],
    message: "must not be more than num_clients",
  });

/** Arguments of FedAvg as a job writes them. */
export type FedAvgArgs = z.output<typeof argsSchema>;

const notYet = "is FLARE's and not supported yet; remove it";

export const fedAvgClass: ComponentClass<FedAvgArgs> = {
  name: "FedAvg",
  args: argsSchema,
  argNames: Object.keys(argsSchema.shape),
  refusedArgs: {
    model: "give the first model as a safetensors file by 'initial_model'",
    save_filename: "the global model is kept in the store and comes with `flare job download`; remove it",
    memory_gc_rounds: "nothing is kept in memory between rounds; remove it",
    enable_tensor_disk_offload: "updates are always on disk; remove it",
    aggregator: notYet,
    exclude_vars: notYet,
    fedprox_mu: notYet,
  },
};

/** Completes FedAvg's arguments with what the job and its sites give. */
export function compileFedAvg(args: FedAvgArgs, job: FedAvgJob): FedAvgSettings {
  const numClients = Math.min(args.num_clients ?? job.sites.length, job.sites.length);
  return Object.freeze({
    kind: "FedAvg",
    taskName: args.task_name,
    numClients,
    minClients: Math.min(args.min_clients ?? job.minClients ?? numClients, numClients),
    numRounds: args.num_rounds,
    startRound: args.start_round,
    trainTimeoutMs: milliseconds(args.train_timeout),
    waitAfterMinReceivedMs: milliseconds(args.wait_time_after_min_received ?? (args.train_timeout === undefined ? 10 : undefined)),
    stopCondition: args.stop_cond,
    patience: args.patience,
    keyMetric: args.key_metric ?? args.stop_cond?.metric ?? "val_accuracy",
    isKeyMetricNegated: args.negate_key_metric,
    aggregationWeights: Object.freeze({ ...args.aggregation_weights }),
    initialModel: args.initial_model,
    seed: args.seed ?? seedOf(job.jobId),
  });
}

function milliseconds(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value * 1000);
}

/** 32-bit FNV-1a of the id: the same job samples the same sites again after a restart. */
function seedOf(jobId: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(jobId)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
