import { byteSizeOf } from "@flare-ts/contracts";
import { InvalidArgumentError } from "commander";

/** Reads a whole number in a range, both ends included; anything else is a mistake of the command line. */
export function wholeNumber(least: number, most?: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^-?\d+$/.test(text) && value >= least && value <= (most ?? Number.MAX_SAFE_INTEGER)) return value;
    throw new InvalidArgumentError(`It is a whole number from ${least}${most === undefined ? "" : ` to ${most}`}.`);
  };
}

/** The longest time that a timer of Node takes; it takes a longer one for none. */
const mostSeconds = Math.floor((2 ** 31 - 1) / 1000);

/** Reads a positive number of seconds. */
export function positiveSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= mostSeconds)) throw new InvalidArgumentError(`Seconds are a positive number, at most ${mostSeconds}.`);
  return seconds;
}

/** As `positiveSeconds`, up to so many. */
export function secondsUpTo(most: number): (text: string) => number {
  return (text) => {
    const seconds = positiveSeconds(text);
    if (seconds > most) throw new InvalidArgumentError(`Seconds are at most ${most} here.`);
    return seconds;
  };
}

/** Reads a size such as `512MiB`; comes to bytes. */
export function byteSize(text: string): number {
  const bytes = byteSizeOf(text);
  if (bytes === undefined) throw new InvalidArgumentError("It is a size such as 512MiB or 10GB.");
  return bytes;
}

/** Takes a text of so many characters at most, and at least. */
export function shortText(most: number, least = 0): (text: string) => string {
  return (text) => {
    if (text.length < least) throw new InvalidArgumentError("It is empty.");
    if (text.length <= most) return text;
    throw new InvalidArgumentError(`It has ${text.length} characters, and at most ${most} are taken.`);
  };
}
