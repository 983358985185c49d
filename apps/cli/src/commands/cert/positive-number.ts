import { InvalidArgumentError } from "commander";

/** Reads a whole number of days. */
export function positiveNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 36_525)
    throw new InvalidArgumentError("It must be a whole number from 1 to 36525.");
  return number;
}
