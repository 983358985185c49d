import { z } from "zod";

const dayMs = 24 * 60 * 60_000;
const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 60 * 60_000, d: dayMs, w: 7 * dayMs, y: 365 * dayMs };

/** Milliseconds of a duration text such as `5m`, `36h`, `90d` or `2y`; `undefined` for what is none. */
export function durationMs(text: string): number | undefined {
  const [, number, unit] = /^(\d{1,9})([smhdwy])$/.exec(text) ?? [];
  const factor = unit === undefined ? undefined : unitMs[unit];
  return factor === undefined ? undefined : Number(number) * factor;
}

/** A duration text from `least` to `most`, which are such texts too; comes to milliseconds. */
export function durationSchema(least: string, most: string): z.ZodType<number> {
  const message = `must be a duration from ${least} to ${most}, such as 36h or 90d (s, m, h, d, w, y)`;
  return z.unknown().transform((written, context) => {
    const ms = typeof written === "string" ? durationMs(written) : undefined;
    if (ms !== undefined && ms >= (durationMs(least) ?? 0) && ms <= (durationMs(most) ?? 0)) return ms;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });
}
