import { isIPv6 } from "node:net";

/** `<host>:<port>`, with an IPv6 address in square brackets. */
export function targetText(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
