import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { domainToASCII } from "node:url";
import { createKeyPair, issueOwnCertificate, privateKeyPem } from "@flare-ts/provision/issue";
import type { TlsCertificate } from "./tls-certificate.js";

const day = 24 * 3_600_000;
/** Browsers refuse longer ones of a web server. */
const validMs = 397 * day;
const renewBeforeMs = 30 * day;

/**
 * The dashboard's own certificate, kept in `tls` of the data folder; made anew, with a new key, when there is none, when it
 * ends within 30 days, or when it lacks one of the hosts.
 */
export async function openOwnCertificate(init: {
  readonly dataFolder: string;
  readonly hosts: readonly string[];
  readonly now: () => number;
}): Promise<TlsCertificate> {
  const folder = join(init.dataFolder, "tls");
  const path = join(folder, "dashboard.pem");
  const kept = await readFile(path, "utf8").then(splitPem, () => undefined);
  const asked = { hosts: init.hosts.map(inCertificate), now: init.now };
  if (kept !== undefined && isUsable(kept, asked)) return kept;
  const made = await make(asked);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // One file: certificate and key are there together or not at all.
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.writeFile(`${made.cert}\n${made.key}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  return made;
}

/** A host as certificates name it: they hold letters of ASCII only, and a machine may be called anything. */
function inCertificate(host: string): string {
  return /^[ -~]*$/.test(host) ? host : domainToASCII(host) || host;
}

async function make({ hosts, now }: { readonly hosts: readonly string[]; readonly now: () => number }): Promise<TlsCertificate> {
  const { privateKey, publicKey } = await createKeyPair("p256");
  const validity = { from: new Date(now() - day), to: new Date(now() - day + validMs) };
  const cert = await issueOwnCertificate({ commonName: "FLARE-TS dashboard", privateKey, publicKey, validity, hosts });
  return { cert: cert.trim(), key: privateKeyPem({ privateKey }).trim() };
}

function splitPem(text: string): TlsCertificate | undefined {
  const cert = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(text)?.[0];
  const key = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/.exec(text)?.[0];
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

function isUsable(
  { cert, key }: TlsCertificate,
  { hosts, now }: { readonly hosts: readonly string[]; readonly now: () => number },
): boolean {
  try {
    const certificate = new X509Certificate(cert);
    return (
      certificate.checkPrivateKey(createPrivateKey(key)) &&
      certificate.validFromDate.getTime() <= now() &&
      certificate.validToDate.getTime() > now() + renewBeforeMs &&
      hosts.every((host) => (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined)
    );
  } catch {
    return false;
  }
}
