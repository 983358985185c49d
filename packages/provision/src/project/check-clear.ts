import type { DocumentPath, Findings } from "./findings.js";

/** Warns of a listener in clear text that can be reached from another machine. */
export function checkClear(hosts: readonly string[], path: DocumentPath, findings: Findings): void {
  const host = hosts.find((name) => !isLoopback(name));
  if (host === undefined) return;
  findings.warning(
    path,
    `connection_security clear encrypts nothing on the way to '${host}': it starts with --allow-clear only, and belongs behind a front end that encrypts`,
  );
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}
