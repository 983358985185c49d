import { FlareError, type Json } from "@flare-ts/contracts";
import type { OperationOutcome } from "@flare-ts/runtime/admin";
import { plainText } from "../../terminal/plain-text.js";

type Outcome = Omit<OperationOutcome<unknown>, "result">;

/** An outcome for a script; `done` is what to call a good one. */
export function outcomeData({ name, kind, state, error }: Outcome, done: string): { readonly [key: string]: Json } {
  if (error !== undefined) return { name, kind, outcome: "failed", error_code: error.code, message: error.message, hint: error.row.todo };
  return { name, kind, outcome: state === "done" ? done : state };
}

/** What went wrong at one participant, in a line. */
export function failureText({ name, error }: Outcome): string {
  return error === undefined ? "" : `${name}: ${plainText(error.message)} (${error.code})`;
}

/**
 * Passes when a command did at every participant what it was to do.
 *
 * @throws FlareError that of the participant, where there was only one; else `cli/not-everywhere`, with all outcomes in the facts
 */
export function requireAll(outcomes: readonly Outcome[], done: string): void {
  const failed = outcomes.filter(({ error }) => error !== undefined);
  const [first] = failed;
  if (first?.error === undefined) return;
  if (outcomes.length === 1) throw first.error;
  const names = failed.map(({ name }) => name).join(", ");
  throw new FlareError("cli/not-everywhere", `${failed.length} of ${outcomes.length} did not do it: ${names}.`, {
    facts: { outcomes: outcomes.map((outcome) => outcomeData(outcome, done)) },
    problems: failed.map((outcome) => ({ message: failureText(outcome) })),
  });
}
