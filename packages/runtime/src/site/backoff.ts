import { limits } from "@flare-ts/contracts";

/**
 * Milliseconds to wait before attempt `attempt` (0, 1, 2 …): doubles from `limits.reconnectFirstMs` to
 * `limits.reconnectMaxMs`, then spreads evenly over the upper half so that many sites do not come back at once.
 *
 * @param random a number in [0, 1)
 */
export function backoffMs(attempt: number, random: number): number {
  const ceiling = Math.min(limits.reconnectMaxMs, limits.reconnectFirstMs * 2 ** Math.min(attempt, 30));
  return ceiling / 2 + (random * ceiling) / 2;
}
