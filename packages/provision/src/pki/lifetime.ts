import type { X509Certificate } from "node:crypto";
import type { Validity } from "./certificate-content.js";

/** A certificate is good at once on a machine whose clock is a little behind. */
export const backdateMs = 5 * 60 * 1000;

/**
 * A period that begins a little before now and lasts for the lifetime from now on. For somebody who was revoked it begins after
 * that moment, on the next full second: certificates know no parts of one, and an earlier one is taken for revoked.
 */
export function validityFrom(now: Date, lifetimeMs: number, revokedAtMs?: number): Validity {
  const backdated = now.getTime() - backdateMs;
  const from = revokedAtMs === undefined ? backdated : Math.max(backdated, (Math.floor(revokedAtMs / 1000) + 1) * 1000);
  return { from: new Date(from), to: new Date(now.getTime() + lifetimeMs) };
}

/** Whether two thirds of a certificate's life are over: time to make the next. */
export function isEnding({ validFromDate, validToDate }: X509Certificate, now: Date): boolean {
  const [from, to] = [validFromDate.getTime(), validToDate.getTime()];
  return now.getTime() >= from + ((to - from) * 2) / 3;
}
