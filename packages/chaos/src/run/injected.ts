import type { FaultOutcome } from "../faults/fault.js";

/** What became of a fault, without when. */
export type Injected = Pick<FaultOutcome, "outcome" | "detail">;

/** How long a victim that does not run at this moment is waited for; milliseconds. */
export const victimMs = 15_000;

/** It happened to what `detail` names. */
export function injected(detail: string): Injected {
  return { outcome: "injected", detail };
}

/** There was nothing that it could happen to. */
export function noVictim(detail: string): Injected {
  return { outcome: "no-victim", detail };
}
