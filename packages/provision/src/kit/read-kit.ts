import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { FlareError, nearestWord } from "@flare-ts/contracts";
import { readHosts, readSubject } from "../pki/read-certificate.js";
import { explainProblem } from "./edited-file.js";
import type { Kit, KitLocalFiles, KitType } from "./kit.js";
import { type KitConfig, readKitConfig } from "./kit-config.js";
import { parseCertificate, readKitFile, refuseExposedKey } from "./read-kit-file.js";
import { readListening, readSiteUpstream, type SiteUpstream } from "./read-relay.js";

const configFiles: readonly [string, KitType][] = [
  ["fed_server.json", "server"],
  ["fed_client.json", "client"],
  ["fed_admin.json", "admin"],
  ["fed_relay.json", "relay"],
];

/** Where data is for jobs in containers: whoever moves such a file here must hear that nothing comes of it. */
const filesWithoutEffect = ["study_data.yaml", "study_runtime.yaml"];
/** What leaves a site is the site's to say; at anybody else nothing comes of this file. */
const privacyFile = "privacy.json";
/** What is read of `local/`, now or when the kit was made. */
const filesInForce = [
  "resources.json",
  "authorization.json",
  "log_config.json",
  privacyFile,
  "comm_config.json",
  "relay__resources.json",
  "study_registry.json",
];

/** FLARE's name for the root certificates of whoever stands in front of the server. */
const customCaFile = "customRootCA.pem";

/**
 * Reads a startup kit from its folder. It checks that everything is there, can be read and fits together, not whether
 * it can be trusted: `verifyKit` does that.
 *
 * @throws FlareError `kit/not-a-folder`, `kit/not-a-kit`, `kit/ambiguous`, `kit/file-missing`, `kit/invalid`,
 * `kit/not-supported`, `kit/signature-mismatch` for what a file that was changed looks like, `kit/certificate-unreadable`, `kit/local-invalid`, `kit/identity-mismatch`, `kit/key-exposed`, `file/unreadable`.
 */
export async function readKit(path: string): Promise<Kit> {
  const dir = resolve(path);
  const startupDir = join(dir, "startup");
  try {
    return await readFrom(dir, startupDir);
  } catch (problem) {
    throw await explainProblem(startupDir, problem);
  }
}

async function readFrom(dir: string, startupDir: string): Promise<Kit> {
  const { configName, type, names } = await findConfig(dir, startupDir);
  const localDir = join(dir, "local");
  const [config, upstream, listening] = await Promise.all([
    readKitConfig(join(startupDir, configName), type),
    type === "client" ? readSiteUpstream(localDir) : undefined,
    type === "relay" ? readListening({ startup: startupDir, local: localDir }) : undefined,
  ]);
  const startup = {
    dir: startupDir,
    config: join(startupDir, configName),
    certificate: join(startupDir, config.certificateFile),
    privateKey: join(startupDir, config.privateKeyFile),
    rootCa: join(startupDir, config.rootCaFile),
    customCa:
      upstream === undefined && usesCustomCa(config, type) && names.includes(customCaFile) ? join(startupDir, customCaFile) : undefined,
  };
  const [certificatePem, privateKeyPem, rootCaPem, customCaPem, local] = await Promise.all([
    readKitFile(startup.certificate),
    readKitFile(startup.privateKey),
    readKitFile(startup.rootCa),
    startup.customCa === undefined ? undefined : readKitFile(startup.customCa),
    findLocalFiles(localDir, type),
  ]);
  if (startup.customCa !== undefined) parseCertificate(customCaPem ?? "", startup.customCa);
  await refuseExposedKey(startup.privateKey);
  const certificate = parseCertificate(certificatePem, startup.certificate);
  const { commonName, org, role } = readSubject(certificate);
  if (config.name !== undefined && config.name !== commonName) {
    throw new FlareError(
      "kit/identity-mismatch",
      `${startup.config} is for '${config.name}', but ${startup.certificate} names '${commonName}'.`,
      {
        facts: { file: startup.config, configured: config.name, certified: commonName },
      },
    );
  }
  return {
    dir,
    type,
    name: commonName,
    org,
    role,
    project: config.project,
    certificatePem,
    privateKeyPem,
    rootCaPem,
    customCaPem,
    serverIdentity: config.serverIdentity ?? commonName,
    endpoint: endpointOf(upstream ?? config, type === "server" ? readHosts(certificate) : undefined),
    relay: upstream?.relay ?? relayAbove(config, join(startupDir, configName)),
    listening,
    certificates: config.certificates,
    local,
    transferDir: join(dir, "transfer"),
    startup,
  };
}

function endpointOf({ host, port, connectionSecurity }: KitConfig | SiteUpstream, hosts: readonly string[] = [host]): Kit["endpoint"] {
  return { host, port, scheme: "grpc", connectionSecurity, hosts };
}

function relayAbove({ relayName }: KitConfig, file: string): Kit["relay"] {
  return relayName === undefined ? undefined : { name: relayName, file };
}

/** Only with `tls` is the server's place taken by somebody whose certificate another authority may have issued. */
function usesCustomCa({ connectionSecurity }: KitConfig, type: KitType): boolean {
  return type !== "server" && connectionSecurity === "tls";
}

interface FoundConfig {
  readonly configName: string;
  readonly type: KitType;
  /** Everything in startup. */
  readonly names: readonly string[];
}

async function findConfig(dir: string, startupDir: string): Promise<FoundConfig> {
  const info = await stat(dir).catch(() => undefined);
  if (info?.isDirectory() !== true) throw new FlareError("kit/not-a-folder", `${dir} is not a folder.`, { facts: { dir } });
  const names = await readdir(startupDir).catch((cause: unknown) => {
    throw new FlareError("kit/not-a-kit", `${dir} has no folder startup.`, { cause, facts: { dir } });
  });
  const found = configFiles.filter(([name]) => names.includes(name));
  const [first] = found;
  if (first === undefined) {
    const wanted = configFiles.map(([name]) => name).join(", ");
    throw new FlareError("kit/not-a-kit", `${startupDir} has none of ${wanted}.`, { facts: { dir } });
  }
  if (found.length > 1) {
    const files = found.map(([name]) => name);
    throw new FlareError("kit/ambiguous", `${startupDir} has ${files.join(" and ")}; a kit has one of them.`, { facts: { dir, files } });
  }
  const [configName, type] = first;
  return { configName, type, names };
}

async function findLocalFiles(dir: string, type: KitType): Promise<KitLocalFiles> {
  const names = new Set(await readdir(dir).catch(() => []));
  const isSite = type === "client";
  const inForce = (name: string): string | undefined => {
    const chosen = [name, `${name}.default`].find((candidate) => names.has(candidate));
    return chosen === undefined ? undefined : join(dir, chosen);
  };
  return {
    dir,
    resources: inForce("resources.json"),
    authorization: inForce("authorization.json"),
    logConfig: inForce("log_config.json"),
    privacy: isSite && names.has(privacyFile) ? join(dir, privacyFile) : undefined,
    withoutEffect: [...(isSite ? [] : [privacyFile]), ...filesWithoutEffect]
      .filter((name) => names.has(name))
      .map((name) => join(dir, name)),
    misnamed: [...names].flatMap((name) => {
      const meant = meantBy(name);
      return meant === undefined ? [] : [{ file: join(dir, name), meant }];
    }),
  };
}

/** The file that somebody took this one for; what is no JSON or YAML, such as a copy with another ending, is nobody's mistake. */
function meantBy(name: string): string | undefined {
  const known = [...filesInForce, ...filesWithoutEffect];
  const [, stem] = /^(.+)\.(?:json|yaml|yml)$/i.exec(name) ?? [];
  if (stem === undefined || known.includes(name)) return undefined;
  return nearestWord(`${stem}.json`, filesInForce);
}
