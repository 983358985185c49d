import {
  type ConnectionSecurity,
  FlareError,
  fedAdminSchema,
  fedClientSchema,
  fedServerSchema,
  type ReadDocument,
  readDocument,
} from "@flare-ts/contracts";
import type { KitType } from "./kit.js";
import { readKitFile } from "./read-kit-file.js";

/** What a kit's `fed_*.json` says, whatever the kind of kit. */
export interface KitConfig {
  readonly project: string;
  /** Name of the participant; `undefined` in the server's own kit, where the certificate alone says it. */
  readonly name: string | undefined;
  readonly host: string;
  readonly port: number;
  /** `undefined` in the server's own kit, likewise. */
  readonly serverIdentity: string | undefined;
  readonly certificateFile: string;
  readonly privateKeyFile: string;
  readonly rootCaFile: string;
}

/**
 * Reads a kit's `fed_*.json`.
 *
 * @throws FlareError `kit/invalid` with each mistake and its line, `kit/not-supported`, `kit/file-missing`.
 */
export async function readKitConfig(file: string, type: KitType): Promise<KitConfig> {
  const text = await readKitFile(file);
  if (type === "server") return readServer(text, file);
  return type === "client" ? readClient(text, file) : readAdmin(text, file);
}

function readServer(text: string, file: string): KitConfig {
  const document = readDocument({ text, file, schema: fedServerSchema, code: "kit/invalid" });
  const server = only(document.value.servers);
  refuseOthers(
    document,
    file,
    ["servers", 0, "service", "scheme"],
    server.service.scheme,
    ["servers", 0, "connection_security"],
    server.connection_security,
  );
  return {
    ...splitTarget(server.service.target),
    project: server.name,
    name: undefined,
    serverIdentity: undefined,
    certificateFile: server.ssl_cert,
    privateKeyFile: server.ssl_private_key,
    rootCaFile: server.ssl_root_cert,
  };
}

function readClient(text: string, file: string): KitConfig {
  const document = readDocument({ text, file, schema: fedClientSchema, code: "kit/invalid" });
  const { client } = document.value;
  const server = only(document.value.servers);
  refuseOthers(
    document,
    file,
    ["servers", 0, "service", "scheme"],
    server.service.scheme,
    ["client", "connection_security"],
    client.connection_security,
  );
  return {
    ...splitTarget(server.service.target),
    project: server.name,
    name: client.fqsn,
    serverIdentity: server.identity,
    certificateFile: client.ssl_cert,
    privateKeyFile: client.ssl_private_key,
    rootCaFile: client.ssl_root_cert,
  };
}

function readAdmin(text: string, file: string): KitConfig {
  const document = readDocument({ text, file, schema: fedAdminSchema, code: "kit/invalid" });
  const { admin } = document.value;
  refuseOthers(document, file, ["admin", "scheme"], admin.scheme, ["admin", "connection_security"], admin.connection_security);
  return {
    host: admin.host,
    port: admin.port,
    project: admin.project_name,
    name: admin.username,
    serverIdentity: admin.server_identity,
    certificateFile: admin.client_cert,
    privateKeyFile: admin.client_key,
    rootCaFile: admin.ca_cert,
  };
}

function only<T>(list: readonly T[]): T {
  const [first] = list;
  if (first === undefined) throw new TypeError("a list that the schema says has one entry is empty");
  return first;
}

function splitTarget(target: string): { host: string; port: number } {
  const colon = target.lastIndexOf(":");
  return { host: target.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(target.slice(colon + 1)) };
}

function refuseOthers(
  document: ReadDocument<unknown>,
  file: string,
  schemePath: readonly PropertyKey[],
  scheme: string,
  securityPath: readonly PropertyKey[],
  security: ConnectionSecurity,
): void {
  const problems = [
    ...(scheme === "grpc" ? [] : [document.problemAt(schemePath, `scheme ${scheme} is not supported yet; only grpc is`)]),
    ...(security === "mtls"
      ? []
      : [document.problemAt(securityPath, `connection_security ${security} is not supported yet; only mtls is`)]),
  ];
  if (problems.length > 0)
    throw new FlareError("kit/not-supported", `${file} asks for what is not supported yet.`, { problems, facts: { file } });
}
