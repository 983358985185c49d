import type { X509Certificate } from "node:crypto";
import type { Validity } from "./certificate-content.js";

/** A certificate is good at once on a machine whose clock is a little behind. */
export const backdateMs = 5 * 60 * 1000;

/**
 * A period that begins a little before now and lasts for the lifetime from now on; where a moment is given it begins after that, on
 * the next full second, because certificates know no parts of one. For somebody who was revoked that is the moment of it, as an earlier
 * certificate is taken for revoked; for a root, when the one before it began, as the later one is the newer.
 */
export function validityFrom(now: Date, lifetimeMs: number, afterMs?: number): Validity {
  const backdated = now.getTime() - backdateMs;
  const from = afterMs === undefined ? backdated : Math.max(backdated, (Math.floor(afterMs / 1000) + 1) * 1000);
  return { from: new Date(from), to: new Date(now.getTime() + lifetimeMs) };
}

/** Whether two thirds of a certificate's life are over: time to make the next. */
export function isEnding({ validFromDate, validToDate }: X509Certificate, now: Date): boolean {
  const [from, to] = [validFromDate.getTime(), validToDate.getTime()];
  return now.getTime() >= from + ((to - from) * 2) / 3;
}
