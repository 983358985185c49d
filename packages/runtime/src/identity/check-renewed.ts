import type { X509Certificate } from "node:crypto";
import { readHosts, readSubject } from "@flare-ts/provision/kit";

/** What a renewal must not change, and a new one has changed; `undefined` when it is a renewal of the old certificate. */
export function renewalDifference(old: X509Certificate, renewed: X509Certificate): string | undefined {
  const before = readSubject(old);
  const after = readSubject(renewed);
  for (const field of ["commonName", "org", "role"] as const) {
    if (before[field] !== after[field]) return `the ${field} is ${JSON.stringify(after[field])}, not ${JSON.stringify(before[field])}`;
  }
  const hosts = (certificate: X509Certificate): string => readHosts(certificate).sort().join(",");
  if (hosts(old) !== hosts(renewed)) return `the host names are ${hosts(renewed)}, not ${hosts(old)}`;
  const usages = ({ keyUsage }: X509Certificate): string => [...((keyUsage as readonly string[] | undefined) ?? [])].sort().join(",");
  if (usages(old) !== usages(renewed)) return "the extended key usage is another";
  if (renewed.ca) return "it is one that issues certificates";
  return undefined;
}
