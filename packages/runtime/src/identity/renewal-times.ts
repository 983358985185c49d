import type { X509Certificate } from "node:crypto";

/** When what is due in the life of one certificate; milliseconds since the epoch. */
export interface RenewalTimes {
  /** Its renewal. */
  readonly dueMs: number;
  /** A warning, when it is not renewed by then. */
  readonly firstWarningMs: number;
  readonly lastWarningMs: number;
  /** Its end. */
  readonly endMs: number;
  readonly lifeMs: number;
}

/**
 * The times of a certificate: renewal at two thirds of its life, a twentieth of it earlier or later so that many sites do not
 * come at once, warnings when a sixth and a twelfth are left.
 *
 * @param random a number in [0, 1)
 */
export function renewalTimes({ validFrom, validTo }: Pick<X509Certificate, "validFrom" | "validTo">, random: number): RenewalTimes {
  const endMs = Date.parse(validTo);
  const lifeMs = Math.max(endMs - Date.parse(validFrom), 0);
  return {
    dueMs: endMs - lifeMs / 3 + (random - 0.5) * (lifeMs / 10),
    firstWarningMs: endMs - lifeMs / 6,
    lastWarningMs: endMs - lifeMs / 12,
    endMs,
    lifeMs,
  };
}

/**
 * Milliseconds before a renewal that failed is tried again: a three-hundredth of the certificate's life at first, doubled each
 * time up to a thirtieth; between a fifth of a second and an hour, the upper half at random.
 *
 * @param random a number in [0, 1)
 */
export function renewalRetryMs(lifeMs: number, attempt: number, random: number): number {
  const growing = Math.min((lifeMs / 300) * 2 ** Math.min(attempt, 30), lifeMs / 30);
  const ceiling = Math.min(Math.max(growing, shortestRetryMs), longestRetryMs);
  return ceiling / 2 + (random * ceiling) / 2;
}

const shortestRetryMs = 400;
const longestRetryMs = 3_600_000;
