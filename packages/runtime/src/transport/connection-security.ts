import { isIP } from "node:net";
import { type ConnectionSecurity, FlareError } from "@flare-ts/contracts";

/** Whether TLS ends at the server itself; else every call is proven. */
export function endsAtServer(security: ConnectionSecurity): boolean {
  return security === "mtls";
}

/** Whether a host is this machine and nothing else; names are the same however they are capitalised. */
export function isLoopback(host: string): boolean {
  if (/^(?:.+\.)?localhost$/i.test(host)) return true;
  return isIP(host) === 4 ? host.startsWith("127.") : host === "::1";
}

/**
 * Refuses clear text that leaves this machine and that nobody has allowed.
 *
 * @throws FlareError `transfer/clear-refused`
 */
export function refuseClearText(
  what: string,
  host: string,
  init: { readonly security: ConnectionSecurity; readonly isClearAllowed: boolean },
): void {
  if (init.security !== "clear" || init.isClearAllowed || isLoopback(host)) return;
  throw new FlareError(
    "transfer/clear-refused",
    `The kit says connection_security clear, and ${what} ${host} would carry models and tokens in clear text beyond this machine.`,
    { facts: { host } },
  );
}

/** Where to listen when nobody has said so: everywhere, or on this machine alone for clear text that is not allowed to leave it. */
export function hostToListenOn(security: ConnectionSecurity, isClearAllowed: boolean): string {
  return security === "clear" && !isClearAllowed ? "127.0.0.1" : "0.0.0.0";
}
