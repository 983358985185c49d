import { isIPv6 } from "node:net";

/** A host name as it is; an IPv6 address in its shortest form (RFC 5952), so that two spellings compare as one. */
export function canonicalHost(host: string): string {
  return isIPv6(host) ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host;
}
