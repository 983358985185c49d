import { stat } from "node:fs/promises";
import { settlesWithin } from "../process/deadline.js";
import { readOutputTail } from "./output-tail.js";
import { signalGroup } from "./signal-group.js";

/** The signal upon which a client in Python writes the stacks of its threads to its output; Node would open its debugger. */
export const stackSignal = "SIGUSR1";

/** How often, and how many times, the output is looked at; it is written at once unless the machine is busy. */
const lookMs = 100;
const looks = 20;
/** Of several processes or many threads. */
const lines = 80;

/** Has the processes of a trainer say where they stand, and gives what they have written; nothing when they do not. */
export async function readStack(init: {
  /** Leader of the trainer's process group. */
  readonly leader: number;
  readonly file: string;
  readonly exited: Promise<void>;
  /** What is not to stand in it. */
  readonly secrets: readonly string[];
}): Promise<string[]> {
  const { leader, file, exited, secrets } = init;
  const { size: from } = await stat(file);
  signalGroup(leader, stackSignal);
  let sizeBefore = from;
  for (let look = 0; look < looks; look += 1) {
    const isGone = await settlesWithin(exited, lookMs);
    const { size } = await stat(file);
    if (isGone || (size > from && size === sizeBefore)) break;
    sizeBefore = size;
  }
  return readOutputTail(file, { from, lines, secrets });
}
