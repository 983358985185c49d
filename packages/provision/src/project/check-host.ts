import { isIP } from "node:net";
import type { DocumentPath, Findings } from "./findings.js";

/** Finds a host that looks like an address and is none. */
export function checkHost(host: string, path: DocumentPath, findings: Findings): void {
  if (host.includes(":") && isIP(host) === 0) findings.mistake(path, `'${host}' is neither a DNS name nor an IP address`);
}
