import { dirname } from "node:path";
import { programPath } from "../installed.js";
import { runProgram } from "./run-program.js";

/** How often the program is started when it is killed. */
const attempts = 5;

/**
 * Ends what trainers of an earlier job process are left, and resolves when they are gone. They are known by the bootstrap file
 * in their environment, which no process of another job has; that also finds those that left their group, and is safe when a
 * process number was given out again. Only Linux shows the environment of a process; elsewhere leftovers end at their next
 * `send`.
 *
 * A program of its own does it, because a job process may be denied `/proc` by the permission model.
 */
export async function endLeftovers(bootstrapPath: string): Promise<void> {
  const program = programPath("executor/end-leftovers-main");
  const flags = ["--permission", "--allow-fs-read=/proc", `--allow-fs-read=${dirname(dirname(program))}`];
  for (let attempt = 1; ; attempt += 1) {
    try {
      await runProgram([...flags, program, bootstrapPath]);
      return;
    } catch (error) {
      // Whatever killed the program is no reason to fail a task.
      if (attempt === attempts || typeof (error as { signal?: unknown }).signal !== "string") throw error;
    }
  }
}
