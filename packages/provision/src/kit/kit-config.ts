import {
  type ConnectionSecurity,
  FlareError,
  fedAdminSchema,
  fedClientSchema,
  fedRelaySchema,
  fedServerSchema,
  type KitCertificatesDocument,
  type ReadDocument,
  readDocument,
} from "@flare-ts/contracts";
import type { KitCertificates, KitType } from "./kit.js";
import { readKitFile } from "./read-kit-file.js";

/** What a kit's `fed_*.json` says, whatever the kind of kit. */
export interface KitConfig {
  readonly project: string;
  /** Name of the participant; `undefined` in the server's own kit, where the certificate alone says it. */
  readonly name: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly connectionSecurity: ConnectionSecurity;
  /** `undefined` in the server's own kit, likewise. */
  readonly serverIdentity: string | undefined;
  readonly certificateFile: string;
  readonly privateKeyFile: string;
  readonly rootCaFile: string;
  readonly certificates: KitCertificates | undefined;
  /** The relay that a relay dials in the server's place. */
  readonly relayName?: string;
}

/**
 * Reads a kit's `fed_*.json`.
 *
 * @throws FlareError `kit/invalid` with each mistake and its line, `kit/not-supported`, `kit/file-missing`.
 */
export async function readKitConfig(file: string, type: KitType): Promise<KitConfig> {
  const text = await readKitFile(file);
  if (type === "server") return readServer(text, file);
  if (type === "client") return readClient(text, file);
  return type === "relay" ? readRelay(text, file) : readAdmin(text, file);
}

function readServer(text: string, file: string): KitConfig {
  const document = readDocument({ text, file, schema: fedServerSchema, code: "kit/invalid" });
  const server = only(document.value.servers);
  refuseOtherSchemes(document, file, ["servers", 0, "service", "scheme"], server.service.scheme);
  return {
    ...splitTarget(server.service.target),
    project: server.name,
    name: undefined,
    serverIdentity: undefined,
    certificateFile: server.ssl_cert,
    privateKeyFile: server.ssl_private_key,
    rootCaFile: server.ssl_root_cert,
    connectionSecurity: server.connection_security,
    certificates: readCertificateSettings(document.value.certificates),
  };
}

function readClient(text: string, file: string): KitConfig {
  const document = readDocument({ text, file, schema: fedClientSchema, code: "kit/invalid" });
  const { client } = document.value;
  const server = only(document.value.servers);
  refuseOtherSchemes(document, file, ["servers", 0, "service", "scheme"], server.service.scheme);
  return {
    ...splitTarget(server.service.target),
    project: server.name,
    // Above it stand the names of the sites that it belongs to.
    name: client.fqsn.slice(client.fqsn.lastIndexOf(".") + 1),
    serverIdentity: server.identity,
    certificateFile: client.ssl_cert,
    privateKeyFile: client.ssl_private_key,
    rootCaFile: client.ssl_root_cert,
    connectionSecurity: client.connection_security,
    certificates: readCertificateSettings(document.value.certificates),
  };
}

function readAdmin(text: string, file: string): KitConfig {
  const document = readDocument({ text, file, schema: fedAdminSchema, code: "kit/invalid" });
  const { admin } = document.value;
  refuseOtherSchemes(document, file, ["admin", "scheme"], admin.scheme);
  return {
    host: admin.host,
    port: admin.port,
    project: admin.project_name,
    name: admin.username,
    serverIdentity: admin.server_identity,
    certificateFile: admin.client_cert,
    privateKeyFile: admin.client_key,
    rootCaFile: admin.ca_cert,
    connectionSecurity: admin.connection_security,
    certificates: readCertificateSettings(document.value.certificates),
  };
}

/** Whatever the scheme of what is above it is called, a relay speaks the same protocol. */
function readRelay(text: string, file: string): KitConfig {
  const { value } = readDocument({ text, file, schema: fedRelaySchema, code: "kit/invalid" });
  return {
    ...splitTarget(value.connect_to.address),
    project: value.project_name,
    name: value.identity,
    serverIdentity: value.server_identity,
    certificateFile: "client.crt",
    privateKeyFile: "client.key",
    rootCaFile: "rootCA.pem",
    connectionSecurity: value.connect_to.connection_security,
    ...(value.connect_to.identity === value.server_identity ? {} : { relayName: value.connect_to.identity }),
    certificates: readCertificateSettings(value.certificates),
  };
}

function readCertificateSettings(written: KitCertificatesDocument | undefined): KitCertificates | undefined {
  if (written === undefined) return undefined;
  const { renewal, leaf_lifetime_ms, renewal_grace_ms, server_may_renew } = written;
  return { renewal, leafLifetimeMs: leaf_lifetime_ms, renewalGraceMs: renewal_grace_ms, serverMayRenew: server_may_renew };
}

function only<T>(list: readonly T[]): T {
  const [first] = list;
  if (first === undefined) throw new TypeError("a list that the schema says has one entry is empty");
  return first;
}

/** The two parts of `<host>:<port>`; an address of IPv6 without its brackets. */
export function splitTarget(target: string): { host: string; port: number } {
  const colon = target.lastIndexOf(":");
  return { host: target.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(target.slice(colon + 1)) };
}

function refuseOtherSchemes(document: ReadDocument<unknown>, file: string, path: readonly PropertyKey[], scheme: string): void {
  if (scheme === "grpc") return;
  const problems = [document.problemAt(path, `scheme ${scheme} is not supported yet; only grpc is`)];
  throw new FlareError("kit/not-supported", `${file} asks for what is not supported yet.`, { problems, facts: { file } });
}
