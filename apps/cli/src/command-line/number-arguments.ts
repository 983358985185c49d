import { byteSizeOf } from "@flare-ts/contracts";
import { InvalidArgumentError } from "commander";

/** Reads a whole number in a range, both ends included; anything else is a mistake of the command line. */
export function wholeNumber(least: number, most?: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= (most ?? Number.MAX_SAFE_INTEGER)) return value;
    throw new InvalidArgumentError(`It is a whole number from ${least}${most === undefined ? "" : ` to ${most}`}.`);
  };
}

/** Reads a positive number of seconds. */
export function positiveSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0)) throw new InvalidArgumentError("Seconds are a positive number.");
  return seconds;
}

/** Reads a size such as `512MiB`; comes to bytes. */
export function byteSize(text: string): number {
  const bytes = byteSizeOf(text);
  if (bytes === undefined) throw new InvalidArgumentError("It is a size such as 512MiB or 10GB.");
  return bytes;
}
