import type { ParticipantDocument } from "@flare-ts/contracts";
import { checkClear } from "./check-clear.js";
import { checkHost } from "./check-host.js";
import type { DocumentPath, Findings } from "./findings.js";
import { type ListeningHost, listeningSchemes } from "./project.js";

/** Fills in FLARE's defaults of `listening_host`: TCP, any port, in clear text. */
export function readListeningHost(
  written: Extract<ParticipantDocument, { type: "relay" }>["listening_host"],
  defaultHost: string,
  path: DocumentPath,
  findings: Findings,
): ListeningHost {
  const map = typeof written === "string" ? { default_host: written } : written;
  const host = map.default_host ?? defaultHost;
  const others = typeof map.host_names === "string" ? [map.host_names] : (map.host_names ?? []);
  for (const name of [host, ...others]) checkHost(name, path, findings);
  const connectionSecurity = map.connection_security ?? "clear";
  const hosts: [string, ...string[]] = [host, ...others.filter((name) => name !== host)];
  if (connectionSecurity === "clear") checkClear(hosts, path, findings);
  return Object.freeze({ scheme: readScheme(map.scheme, path, findings), hosts, port: map.port ?? 0, connectionSecurity });
}

function readScheme(written: string | null | undefined, path: DocumentPath, findings: Findings): ListeningHost["scheme"] {
  if (written === undefined || written === null || written === "") return "tcp";
  const known = listeningSchemes.find((scheme) => scheme === written.toLowerCase().trim());
  if (known === undefined) findings.warning([...path, "scheme"], `scheme ${written} is not built in: tcp takes its place`);
  return known ?? "tcp";
}
