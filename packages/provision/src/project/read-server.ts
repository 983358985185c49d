import { checkClear } from "./check-clear.js";
import { checkHost } from "./check-host.js";
import { commonOf, identityOf, type ParticipantSource, type Written } from "./participant-source.js";
import type { ServerParticipant } from "./project.js";
import { readListeningHost } from "./read-listening-host.js";

const defaultPort = 8002;
/** Longest common name of a certificate: RFC 5280, upper bound ub-common-name. */
const maxCommonNameChars = 64;

/** Fills in FLARE's defaults of the server; a name longer than a certificate can hold is cut, and is the default host then. */
export function readServer(source: ParticipantSource<Written<"server">>): ServerParticipant {
  const { written, path, findings } = source;
  const port = written.fed_learn_port ?? defaultPort;
  const adminPort = written.admin_port ?? port;
  if (adminPort !== port) {
    findings.warning([...path, "admin_port"], `admin_port ${adminPort} has no effect: admins connect to fed_learn_port ${port} too`);
  }
  const hosts = readHosts(source);
  const common = commonOf(source);
  if (common.connectionSecurity === "clear") {
    const isOwn = written.connection_security !== undefined && written.connection_security !== null;
    checkClear(hosts, isOwn ? [...path, "connection_security"] : ["connection_security"], findings);
  }
  const listening = written.listening_host ?? undefined;
  return Object.freeze({
    ...common,
    type: "server",
    name: commonName(source),
    port,
    hosts,
    ...(listening === undefined ? {} : { listeningHost: readListeningHost(listening, hosts[0], [...path, "listening_host"], findings) }),
    ...identityOf(written),
  });
}

function readHosts({ written, path, findings }: ParticipantSource<Written<"server">>): readonly [string, ...string[]] {
  const defaultHost = written.default_host ?? written.name;
  const hostNames = typeof written.host_names === "string" ? [written.host_names] : (written.host_names ?? []);
  const named: [string, string][] = [
    ["name", written.name],
    ["default_host", defaultHost],
    ...hostNames.map((host): [string, string] => ["host_names", host]),
  ];
  for (const [key, host] of named) checkHost(host, [...path, key], findings);
  return [defaultHost, ...new Set(hostNames.filter((host) => host !== defaultHost))];
}

function commonName({ written: { name }, path, findings }: ParticipantSource<Written<"server">>): string {
  if (name.includes(":")) {
    findings.warning(
      [...path, "name"],
      `the server's kit is a folder called '${name}', and neither docker nor Windows takes a colon in its path; give the server another name, and '${name}' as default_host`,
    );
  }
  if (name.length <= maxCommonNameChars) return name;
  // A folder's name and a certificate's must not end in a dot or dash, which a cut may leave.
  const cut = name.slice(0, maxCommonNameChars).replace(/[.-]+$/, "");
  findings.warning(
    [...path, "name"],
    `'${name}' has ${name.length} characters, and a certificate's name holds ${maxCommonNameChars}: the server is called '${cut}', and is reached at default_host`,
  );
  return cut;
}
