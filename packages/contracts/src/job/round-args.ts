import { z } from "zod";
import { siteNameSchema } from "../ids/names.js";
import { jobPathSchema } from "./job-path.js";
import { seconds } from "./seconds.js";
import { parseStopCondition, type StopCondition } from "./stop-condition.js";
import { milliseconds, seedOf, type WorkflowJob } from "./workflow-job.js";

/** How rounds are held in which the updates of several sites become a model, complete: nobody parses or defaults after this. */
export interface RoundSettings {
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
  /** Seed of the sampling, 0 … 2^32 - 1. */
  readonly seed: number;
}

/** What a setting of a strategy may be written as. */
export type StrategySetting = string | number | boolean | readonly string[];

const strategySetting = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())], {
  error: "must be a number, a text, true or false, or a list of texts",
});

/** Settings of a strategy as a job writes them. Whoever knows the strategies checks them, when a job is read. */
export const strategyArgsSchema = z.record(z.string(), strategySetting);

/** Arguments that workflows with such rounds have in common. */
export const roundShape = {
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
};

const roundSchema = z.strictObject(roundShape);

/** Arguments that workflows with such rounds have in common, as a job writes them. */
export type RoundArgs = z.output<typeof roundSchema>;

/** Refuses a round that could never get the updates that it needs. */
export function requireEnoughClients(
  { num_clients, min_clients }: Pick<RoundArgs, "num_clients" | "min_clients">,
  context: Pick<z.core.$RefinementCtx, "addIssue">,
): void {
  if (min_clients === undefined || num_clients === undefined || min_clients <= num_clients) return;
  context.addIssue({ code: "custom", path: ["min_clients"], message: "must not be more than num_clients" });
}

/** Completes the arguments with what the job and its sites give. */
export function compileRounds(args: RoundArgs, job: WorkflowJob): RoundSettings {
  const numClients = Math.min(args.num_clients ?? job.sites.length, job.sites.length);
  return {
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
    seed: args.seed ?? seedOf(job.jobId),
  };
}
