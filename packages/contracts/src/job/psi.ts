import { z } from "zod";
import type { ComponentClass } from "./component.js";
import { seconds } from "./seconds.js";
import { milliseconds } from "./workflow-job.js";

/** Settings of a private set intersection, complete. */
export interface PsiSettings {
  readonly kind: "Psi";
  readonly taskName: string;
  /** Time for each round; `undefined`: as long as sites move. */
  readonly timeoutMs: number | undefined;
}

const argsSchema = z.strictObject({ timeout: seconds.optional() });

/** Arguments of a private set intersection as a job writes them. */
export type PsiArgs = z.output<typeof argsSchema> & {
  readonly kind: PsiSettings["kind"];
  /** It needs no model. */
  readonly initial_model?: undefined;
};

export const dhPsiControllerClass: ComponentClass<PsiArgs> = {
  name: "DhPSIController",
  args: argsSchema.transform((args) => ({ kind: "Psi" as const, ...args })),
  argNames: Object.keys(argsSchema.shape),
  refusedArgs: {
    initial_model: "an intersection needs no model; remove it",
    min_clients: "all sites that the job starts with take part to its end; 'min_clients' of meta.json says how many those are at least",
  },
  ignoredArgs: {
    psi_workflow_id: "has no effect here: there is one way, by elliptic curves",
    bloom_filter_fpr: "has no effect here: points are compared as they are, and nothing is taken for another thing",
  },
};

/** FLARE's name of the task, which is that of all rounds. */
export const psiTask = "PSI";

/** Completes the arguments. */
export function compilePsi({ timeout }: PsiArgs): PsiSettings {
  return Object.freeze({ kind: "Psi", taskName: psiTask, timeoutMs: milliseconds(timeout) });
}
