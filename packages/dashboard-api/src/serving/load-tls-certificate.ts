import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { FlareError } from "@flare-ts/contracts";
import { openOwnCertificate } from "./own-certificate.js";
import type { ServingSecurity } from "./serving-security.js";
import type { TlsCertificate } from "./tls-certificate.js";

/**
 * The certificate to serve with: the dashboard's own, or the given one. Asked again later it may be another one.
 *
 * @throws FlareError `dashboard/invalid-settings` when given files cannot be read or do not belong together
 */
export async function loadTlsCertificate(
  security: Extract<ServingSecurity, { kind: "own" | "given" }>,
  init: { readonly dataFolder: string; readonly hosts: readonly string[]; readonly now: () => number },
): Promise<TlsCertificate> {
  if (security.kind === "own") return openOwnCertificate(init);
  const { certificateFile, keyFile } = security;
  const [cert, key] = await Promise.all([readPem(certificateFile), readPem(keyFile)]);
  let fits: boolean;
  try {
    fits = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    // The cause may quote the key.
    throw new FlareError("dashboard/invalid-settings", `${certificateFile} and ${keyFile} are not a certificate and its key in PEM.`);
  }
  if (!fits)
    throw new FlareError("dashboard/invalid-settings", `The key ${keyFile} does not belong to the certificate ${certificateFile}.`);
  return { cert, key };
}

async function readPem(path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new FlareError("dashboard/invalid-settings", `${path} cannot be read.`, { facts: { path }, cause });
  });
}
