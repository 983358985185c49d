import type { ConnectionSecurity, ParticipantDocument } from "@flare-ts/contracts";
import { canonicalHost } from "../pki/canonical-host.js";
import type { DocumentPath, Findings } from "./findings.js";
import type { ConnectTo, ListeningHost, ServerParticipant } from "./project.js";

type ConnectToDocument = Extract<ParticipantDocument, { type: "client" | "admin" | "relay" }>["connect_to"];

/** A relay that others can be behind. */
export interface RelayTarget {
  readonly name: string;
  readonly listeningHost: ListeningHost;
  readonly authIdentity?: string;
}

/** What a participant can connect to. */
export interface Targets {
  readonly server: ServerParticipant;
  /** The server's name before it was cut to what a certificate can hold. */
  readonly writtenServerName: string;
  readonly relays: ReadonlyMap<string, RelayTarget>;
}

interface ConnectToInit {
  readonly written: { readonly connect_to?: ConnectToDocument };
  readonly targets: Targets;
  /** Of the participant, for where nothing nearer says it. */
  readonly connectionSecurity: ConnectionSecurity;
  /** Of the participant. */
  readonly path: DocumentPath;
  readonly findings: Findings;
}

/** Where a participant connects, and the relay that it is behind. */
export interface Connection {
  readonly connectTo: ConnectTo;
  readonly relay?: string;
}

/** Where a participant connects, with FLARE's defaults: what it is behind says what `connect_to` leaves open. */
export function readConnectTo(init: ConnectToInit): Connection {
  const { targets, findings } = init;
  const connectTo = init.written.connect_to ?? {};
  const isMap = typeof connectTo === "object";
  const path = [...init.path, "connect_to"];
  const asked: Asked = {
    ...(isMap ? connectTo : { host: connectTo }),
    hostPath: isMap ? [...path, "host"] : path,
    path,
  };
  if (isEmpty(asked.name) || asked.name === targets.server.name || asked.name === targets.writtenServerName) {
    return { connectTo: toServer(asked, init) };
  }
  const relay = targets.relays.get(asked.name);
  if (relay !== undefined) return { connectTo: toRelay(asked, relay, findings), relay: relay.name };
  findings.mistake([...path, "name"], `connect_to names '${asked.name}', which is neither the server '${targets.server.name}' nor a relay`);
  return { connectTo: toServer(asked, init) };
}

/** `connect_to` as a map, whichever way it was written. */
interface Asked {
  readonly name?: string | null | undefined;
  readonly host?: string | null | undefined;
  readonly port?: number | null | undefined;
  readonly connection_security?: ConnectionSecurity | null | undefined;
  readonly auth_identity?: string | null | undefined;
  readonly path: DocumentPath;
  readonly hostPath: DocumentPath;
}

function toServer(asked: Asked, { targets: { server, writtenServerName }, connectionSecurity, findings }: ConnectToInit): ConnectTo {
  const [defaultHost] = server.hosts;
  const written = isEmpty(asked.host) ? defaultHost : asked.host;
  const isName = written === server.name || written === writtenServerName;
  const host = isName && !server.hosts.includes(written) ? defaultHost : written;
  if (!isOneOf(server.hosts, host)) {
    findings.warning(
      asked.hostPath,
      `'${host}' is not a host of server '${server.name}' (${server.hosts.join(", ")}), and not in its certificate: add it to the server's host_names, unless a front end with a certificate of its own answers there`,
    );
  }
  const security = asked.connection_security ?? connectionSecurity;
  checkBothEnds(security, server, asked.path, findings);
  return {
    host,
    port: orUndefined(asked.port) ?? server.port,
    connectionSecurity: security,
    name: server.name,
    ...identity(asked.auth_identity ?? server.authIdentity),
  };
}

function toRelay(asked: Asked, { name, listeningHost, authIdentity }: RelayTarget, findings: Findings): ConnectTo {
  const host = isEmpty(asked.host) ? listeningHost.hosts[0] : asked.host;
  if (!isOneOf(listeningHost.hosts, host)) {
    findings.warning(asked.hostPath, `'${host}' is not a host of relay '${name}' (${listeningHost.hosts.join(", ")})`);
  }
  const port = orUndefined(asked.port) ?? listeningHost.port;
  if (port === 0) {
    findings.warning(
      asked.path,
      `relay '${name}' listens on any port that is free, so nobody can know which to connect to; give its listening_host a port`,
    );
  }
  return {
    host,
    port,
    connectionSecurity: asked.connection_security ?? listeningHost.connectionSecurity,
    name,
    ...identity(asked.auth_identity ?? authIdentity),
  };
}

/** Whatever stands in between, the server refuses who takes TLS for ended elsewhere than it does. */
function checkBothEnds(security: ConnectionSecurity, server: ServerParticipant, path: DocumentPath, findings: Findings): void {
  if ((security === "mtls") === (server.connectionSecurity === "mtls")) return;
  findings.warning(
    path,
    `connects with ${security}, and server '${server.name}' listens with ${server.connectionSecurity}: it will not be let in; both ends say mtls, or both say tls or clear`,
  );
}

/** DNS knows no capital letters, and an IPv6 address has many spellings. */
function isOneOf(hosts: readonly string[], host: string): boolean {
  const wanted = canonicalHost(host).toLowerCase();
  return hosts.some((each) => canonicalHost(each).toLowerCase() === wanted);
}

function identity(authIdentity: string | undefined): { readonly authIdentity?: string } {
  return authIdentity === undefined ? {} : { authIdentity };
}

function isEmpty(text: string | null | undefined): text is "" | null | undefined {
  return text === undefined || text === null || text === "";
}

/** FLARE takes port 0 for none. */
function orUndefined(port: number | null | undefined): number | undefined {
  return port === null || port === 0 ? undefined : port;
}
