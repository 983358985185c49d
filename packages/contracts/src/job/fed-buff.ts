import { z } from "zod";
import type { ComponentClass } from "./component.js";
import { namesOrPatternSchema } from "./names-or-pattern.js";
import { compileRounds, type RoundSettings, roundShape, type StrategySetting, strategyArgsSchema } from "./round-args.js";
import type { WorkflowJob } from "./workflow-job.js";

/** Settings of the workflow FedBuff, complete: nobody parses or defaults after this. */
export interface FedBuffSettings extends Omit<RoundSettings, "numClients" | "trainTimeoutMs" | "waitAfterMinReceivedMs"> {
  readonly kind: "FedBuff";
  /** Updates that make a new model. */
  readonly updatesForModel: number;
  /** Sites that are at work at once. */
  readonly concurrency: number;
  /** Models that may have been made since the one that an update was made from; `undefined`: any number. */
  readonly maxStaleness: number | undefined;
  /** Tensors that are not combined: the model keeps its own, whatever sites send. */
  readonly excludeVars: readonly string[] | RegExp | undefined;
  /** Settings of the strategy `fed-buff` as the job writes them. */
  readonly strategyArgs: Readonly<Record<string, StrategySetting>>;
}

const argsSchema = z
  .strictObject(roundShape)
  .omit({ num_clients: true, train_timeout: true, wait_time_after_min_received: true })
  .extend({
    num_updates_for_model: z.int().min(1).optional(),
    concurrency: z.int().min(1).optional(),
    max_staleness: z.int().min(0).max(1_000_000).optional(),
    exclude_vars: namesOrPatternSchema.optional(),
    strategy_args: strategyArgsSchema.default({}),
  });

/** Arguments of FedBuff as a job writes them. */
export type FedBuffArgs = z.output<typeof argsSchema> & { readonly kind: FedBuffSettings["kind"] };

export const fedBuffClass: ComponentClass<FedBuffArgs> = {
  name: "FedBuff",
  args: argsSchema.transform((args) => ({ kind: "FedBuff" as const, ...args })),
  argNames: Object.keys(argsSchema.shape),
  refusedArgs: {
    model: "give the first model as a safetensors file by 'initial_model'",
    strategy: "FedBuff has its own way to combine updates; remove it, or name it as FedAvg's",
    num_clients: "no round asks sites together; 'concurrency' says how many are at work at once",
    train_timeout: "nobody waits for a slow site; remove it, or bound how old an update may be by 'max_staleness'",
    wait_time_after_min_received: "nobody waits for a slow site; remove it",
    buffer_size: "is FLARE's 'num_updates_for_model' here",
    num_updates: "is FLARE's 'num_updates_for_model' here",
    global_lr: "is 'learningRate' in 'strategy_args'",
    staleness_weight: "older updates count less anyway; 'stalenessExponent' 0 in 'strategy_args' makes them count as new ones",
    max_model_history: "use 'max_staleness': an update counts when at most so many models were made since the one that it was made from",
    max_model_version: "use 'num_rounds', the number of models to make",
    device_selection_size: "use 'concurrency'",
  },
};

/**
 * Completes FedBuff's arguments with what the job and its sites give. A model is made of the updates of half of the sites unless the job says
 * otherwise: then no site waits for another as long as half of them are quick.
 */
export function compileFedBuff(args: FedBuffArgs, job: WorkflowJob): FedBuffSettings {
  const rounds = compileRounds(args, job);
  const { numClients: count } = rounds;
  return Object.freeze({
    kind: "FedBuff",
    taskName: rounds.taskName,
    numRounds: rounds.numRounds,
    startRound: rounds.startRound,
    minClients: Math.min(args.min_clients ?? job.minClients ?? 1, count),
    updatesForModel: Math.min(args.num_updates_for_model ?? Math.max(1, Math.floor(count / 2)), count),
    concurrency: Math.min(args.concurrency ?? count, count),
    maxStaleness: args.max_staleness,
    stopCondition: rounds.stopCondition,
    patience: rounds.patience,
    keyMetric: rounds.keyMetric,
    isKeyMetricNegated: rounds.isKeyMetricNegated,
    aggregationWeights: rounds.aggregationWeights,
    excludeVars: args.exclude_vars,
    strategyArgs: Object.freeze({ ...args.strategy_args }),
    seed: rounds.seed,
  });
}
