import { FlareError } from "@flare-ts/contracts/errors";
import { executorFor as entryFor } from "@flare-ts/contracts/job";
import type { Executor } from "./executor.js";

/** An executor and the tasks that it answers. */
export interface ExecutorEntry {
  /** Names; a name that ends in `*` stands for all that begin so. */
  readonly tasks: readonly string[];
  readonly executor: Executor;
}

/** The first executor that answers a task. @throws FlareError `client-api/no-executor` */
export function executorFor(table: readonly ExecutorEntry[], task: string): Executor {
  const entry = entryFor(table, task);
  if (entry !== undefined) return entry.executor;
  throw new FlareError("client-api/no-executor", `No executor of this job answers the task '${task}'.`, {
    facts: { task, known: table.flatMap(({ tasks }) => tasks) },
  });
}
