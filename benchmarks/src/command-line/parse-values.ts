import { nearestWord } from "@flare-ts/contracts/errors";
import { invalidArguments } from "./invalid-arguments.ts";

/** A whole number in a range; `1e6` and `2.5e7` are whole numbers too. @throws `cli/invalid-arguments` */
export function wholeNumber(option: string, text: string, { least = 1, most = Number.MAX_SAFE_INTEGER } = {}): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw invalidArguments(`${option} takes whole numbers ${range}, not '${text}'.`);
  }
  return value;
}

/** One of some words. @throws `cli/invalid-arguments` with the nearest */
export function oneOf<Word extends string>(option: string, text: string, words: readonly Word[]): Word {
  const word = words.find((each) => each === text);
  if (word !== undefined) return word;
  const near = nearestWord(text, words);
  throw invalidArguments(`${option} takes ${words.join(", ")}, not '${text}'.${near === undefined ? "" : ` Did you mean '${near}'?`}`);
}

/** What stands between commas, each once, in order. @throws `cli/invalid-arguments` when there is nothing between two of them */
export function listOf<Value>(option: string, text: string, parse: (part: string) => Value): readonly Value[] {
  const parts = text.split(",").map((part) => part.trim());
  if (parts.includes("")) throw invalidArguments(`${option} takes values with commas between them, not '${text}'.`);
  return [...new Set(parts.map(parse))];
}

const unitBytes: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** Bytes of a text such as `512MB` or `1.5 GiB`; `undefined` where it is none. */
export function sizeOf(text: string): number | undefined {
  const [, digits = "", unit = ""] = /^([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]*)$/.exec(text) ?? [];
  const bytes = unitBytes[unit];
  return digits === "" || bytes === undefined ? undefined : Math.round(Number(digits) * bytes);
}

/** Bytes of a text such as `512MB` or `1.5GiB`. @throws `cli/invalid-arguments` */
export function byteSize(option: string, text: string): number {
  const bytes = sizeOf(text);
  if (bytes === undefined || bytes < 1) {
    throw invalidArguments(
      `${option} takes a size such as 512MB, with one of the units ${Object.keys(unitBytes).join(", ")}, not '${text}'.`,
    );
  }
  return bytes;
}

/** The share of a text such as `10%`. @throws `cli/invalid-arguments` */
export function percentage(option: string, text: string): number {
  const [, digits] = /^([0-9]+(?:\.[0-9]+)?)%$/.exec(text) ?? [];
  if (digits === undefined) throw invalidArguments(`${option} takes a percentage such as 10%, not '${text}'.`);
  return Number(digits) / 100;
}
