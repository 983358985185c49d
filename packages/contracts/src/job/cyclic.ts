import { z } from "zod";
import { siteNameSchema } from "../ids/names.js";
import type { ComponentClass } from "./component.js";
import { jobPathSchema } from "./job-path.js";
import { seconds } from "./seconds.js";
import { milliseconds, seedOf, type WorkflowJob } from "./workflow-job.js";

/** In which order sites have their turns: one of FLARE's rules, or their names. */
export type CyclicOrder = (typeof cyclicOrders)[number] | readonly string[];

/** Settings of cyclic weight transfer, complete. */
export interface CyclicSettings {
  readonly kind: "Cyclic";
  readonly taskName: string;
  /** Sites that have a turn in a round. */
  readonly numClients: number;
  readonly numRounds: number;
  /** Number of the first round, as trainers see it. */
  readonly startRound: number;
  readonly order: CyclicOrder;
  /** Time that a site has for its turn; `undefined`: as long as it moves. */
  readonly trainTimeoutMs: number | undefined;
  /** Seed of orders and draws, 0 … 2^32 - 1. */
  readonly seed: number;
}

const cyclicOrders = ["FIXED", "RANDOM", "RANDOM_WITHOUT_SAME_IN_A_ROW"] as const;

const argsSchema = z.strictObject({
  num_clients: z.int().min(1).optional(),
  num_rounds: z.int().min(1).max(1_000_000).default(5),
  start_round: z.int().min(0).max(1_000_000).default(0),
  order: z
    .union([z.enum(cyclicOrders), z.array(siteNameSchema).min(1)], {
      error: `must be ${cyclicOrders.slice(0, 2).join(", ")} or ${cyclicOrders[2]}, or a list of sites`,
    })
    .refine((order) => typeof order === "string" || new Set(order).size === order.length, "names a site twice")
    .default("FIXED"),
  train_timeout: seconds.optional(),
  task_name: z.string().min(1).default("train"),
  initial_model: jobPathSchema.optional(),
  seed: z.int().min(0).max(0xffff_ffff).optional(),
});

/** Arguments of cyclic weight transfer as a job writes them. */
export type CyclicArgs = z.output<typeof argsSchema> & { readonly kind: CyclicSettings["kind"] };

export const cyclicClass: ComponentClass<CyclicArgs> = {
  name: "Cyclic",
  args: argsSchema.transform((args) => ({ kind: "Cyclic" as const, ...args })),
  argNames: Object.keys(argsSchema.shape),
  refusedArgs: {
    allow_early_termination: "a turn that fails is passed over, and nothing ends the workflow early; remove it",
    persistor_id: "give the first model as a safetensors file by 'initial_model'",
    shareable_generator_id: "models are safetensors files throughout; remove it",
    memory_gc_rounds: "nothing is kept in memory between turns; remove it",
  },
  ignoredArgs: {
    task_assignment_timeout:
      "'task_assignment_timeout' has no effect here: tasks are pushed, and a site whose task does not move is passed over",
    task_check_period: "'task_check_period' has no effect here: nothing is polled",
    persist_every_n_rounds: "'persist_every_n_rounds' has no effect here: each model is kept before the next turn begins",
    snapshot_every_n_rounds: "'snapshot_every_n_rounds' has no effect here: each turn is in the journal",
  },
};

/** FLARE's other name for the same. */
export const cyclicControllerClass: ComponentClass<CyclicArgs> = { ...cyclicClass, name: "CyclicController" };

/** Completes the arguments with what the job and its sites give. */
export function compileCyclic(args: CyclicArgs, job: WorkflowJob): CyclicSettings {
  const sites = typeof args.order === "string" ? job.sites : args.order.filter((name) => job.sites.includes(name));
  return Object.freeze({
    kind: "Cyclic",
    taskName: args.task_name,
    numClients: Math.min(args.num_clients ?? sites.length, sites.length),
    numRounds: args.num_rounds,
    startRound: args.start_round,
    order: typeof args.order === "string" ? args.order : Object.freeze(sites),
    trainTimeoutMs: milliseconds(args.train_timeout),
    seed: args.seed ?? seedOf(job.jobId),
  });
}
