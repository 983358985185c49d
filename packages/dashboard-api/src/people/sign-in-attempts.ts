import type { AttemptKey } from "./attempts.js";
import { networkOf } from "./network-of.js";

const dayMs = 24 * 3_600_000;

/**
 * What sign-ins to an account are counted by. From a browser that the account's holder has used before: by that browser alone. From any
 * other: by its address, strictly by its address and the account together, and by the account over all addresses, each day anew, so
 * that one address alone never makes others wait.
 */
export function signInKeys(init: {
  readonly email: string;
  readonly address: string;
  /** What names a browser that is known for this account. */
  readonly device?: string | undefined;
  readonly nowMs: number;
}): readonly AttemptKey[] {
  const { email, address, device, nowMs } = init;
  if (device !== undefined) return [{ kind: "device", value: device }];
  return [
    // The strictest comes first: what it refuses does not count for the others.
    { kind: "account-from-address", value: `${networkOf(address)} ${email}` },
    { kind: "address", value: networkOf(address) },
    { kind: "account", value: `${Math.floor(nowMs / dayMs)} ${email}` },
  ];
}
