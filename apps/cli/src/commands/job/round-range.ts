import { InvalidArgumentError } from "commander";

/** Rounds of a job, the last one included. */
export interface RoundRange {
  readonly first: number;
  readonly last: number;
}

/** Reads `3` or `0-9`; anything else is a mistake of the command line. */
export function roundRange(text: string): RoundRange {
  const [, first, last = first] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text) ?? [];
  if (first === undefined || Number(last) < Number(first))
    throw new InvalidArgumentError("It is a round, or two with a dash between, such as 0-9.");
  return { first: Number(first), last: Number(last) };
}
