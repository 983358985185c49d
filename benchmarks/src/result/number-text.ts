import type { Summary } from "../statistics.ts";
import type { Point } from "./result.ts";

/** `12.3 (11.9–15.0)`, with three digits or so. */
export function millisecondsText({ median, min, max }: Summary): string {
  return `${threeDigits(median)} (${threeDigits(min)}–${threeDigits(max)})`;
}

/** `16.6`: 10^9 bytes a second. */
export function gigabytesPerSecond(bytes: number, ms: number): string {
  return threeDigits(bytes / 1e6 / ms);
}

/** `2.71`, or nothing. */
export function timesText(times: number | undefined): string {
  return times === undefined ? "" : threeDigits(times);
}

/** `3.1e-8`, or nothing. */
export function errorText(error: number | undefined): string {
  if (error === undefined) return "";
  return error === 0 ? "0" : error.toExponential(1);
}

/** Millions of bytes, or a dash where nothing is known. */
export function megabytes(bytes: number | null): string {
  return bytes === null ? "-" : threeDigits(bytes / 1e6);
}

/** `8 updates of 25 million parameters in 160 tensors, 100 MB each`. */
export function sizeText({ clients, params, tensors, updateBytes }: Pick<Point, "clients" | "params" | "tensors" | "updateBytes">): string {
  const updates = `${clients} ${clients === 1 ? "update" : "updates"}`;
  return `${updates} of ${countText(params)} parameters in ${tensors} ${tensors === 1 ? "tensor" : "tensors"}, ${megabytes(updateBytes)} MB each`;
}

/** `25 million`, `1.24 billion`, `5000`. */
export function countText(count: number): string {
  if (count >= 1e9) return `${+(count / 1e9).toFixed(2)} billion`;
  return count >= 1e6 ? `${+(count / 1e6).toFixed(2)} million` : String(count);
}

/** A number with three significant digits; whole from 100 on. */
export function threeDigits(value: number): string {
  if (value === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 6));
}
