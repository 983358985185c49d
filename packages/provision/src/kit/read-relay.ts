import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type ConnectionSecurity, commConfigSchema, readDocument, relayResourcesSchema } from "@flare-ts/contracts";
import { readHosts } from "../pki/read-certificate.js";
import type { KitListening, KitRelay } from "./kit.js";
import { splitTarget } from "./kit-config.js";
import { parseCertificate, readKitFile, refuseExposedKey } from "./read-kit-file.js";

/** FLARE's name for the file that puts a site behind a relay. */
const relayFile = "relay__resources.json";

/** The relay that a site is behind, and where it is dialled. */
export interface SiteUpstream {
  readonly relay: KitRelay;
  readonly host: string;
  readonly port: number;
  readonly connectionSecurity: ConnectionSecurity;
}

/**
 * Reads what puts a site behind a relay; `undefined` where nothing does.
 *
 * @throws FlareError `kit/local-invalid`, `file/unreadable`
 */
export async function readSiteUpstream(localDir: string): Promise<SiteUpstream | undefined> {
  const file = join(localDir, relayFile);
  if ((await stat(file).catch(() => undefined)) === undefined) return undefined;
  const text = await readKitFile(file);
  const { identity, address, connection_security } = readDocument({ text, file, schema: relayResourcesSchema, code: "kit/local-invalid" })
    .value.relay_config;
  return { relay: { name: identity, file }, ...splitTarget(address), connectionSecurity: connection_security };
}

/**
 * Reads where a relay listens, and the certificate that it shows there. Whatever the scheme is called, the protocol is the same.
 *
 * @throws FlareError `kit/file-missing`, `kit/local-invalid`, `kit/certificate-unreadable`, `kit/key-exposed`, `file/unreadable`
 */
export async function readListening({ startup, local }: { readonly startup: string; readonly local: string }): Promise<KitListening> {
  const file = join(local, "comm_config.json");
  const [certificateFile, keyFile] = [join(startup, "server.crt"), join(startup, "server.key")];
  const [text, certificatePem, privateKeyPem] = await Promise.all([file, certificateFile, keyFile].map((each) => readKitFile(each)));
  const { port = 0, connection_security } = readDocument({ text: text ?? "", file, schema: commConfigSchema, code: "kit/local-invalid" })
    .value.internal.resources;
  await refuseExposedKey(keyFile);
  const hosts = readHosts(parseCertificate(certificatePem ?? "", certificateFile));
  return {
    hosts,
    port,
    connectionSecurity: connection_security,
    certificatePem: certificatePem ?? "",
    privateKeyPem: privateKeyPem ?? "",
    file,
  };
}
