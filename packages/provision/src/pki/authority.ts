import { createPrivateKey, X509Certificate } from "node:crypto";
import { FlareError } from "@flare-ts/contracts";
import type { ProjectState, StoredIdentity, StoredRoot } from "../state/project-state.js";
import type { Issuer } from "./certificate.js";
import { splitPem } from "./pem.js";
import { roomBelow } from "./room-below.js";

/** Who issues the project's certificates: its authority below a root that is elsewhere, or its root. */
export interface Authority extends Issuer {
  readonly certificate: X509Certificate;
}

/**
 * Opens the authority of a project and makes sure that its key belongs to it.
 *
 * @throws FlareError `project/no-authority`, `project/state-invalid`.
 */
export function openAuthority({ root, authority }: Pick<ProjectState, "root" | "authority">, stateFile: string): Authority {
  if (authority !== undefined) return openIdentity(authority, "the authority", stateFile);
  if (root.privateKeyPem === undefined) {
    throw new FlareError("project/no-authority", `There is no key in ${stateFile} that certificates can be issued with.`, {
      facts: { file: stateFile },
    });
  }
  return openIdentity({ ...root, privateKeyPem: root.privateKeyPem }, "the root", stateFile);
}

/**
 * Makes sure that the server's issuing certificate can stand below the authority: what is issued by it would be refused everywhere,
 * and first when the first certificate is renewed.
 *
 * @throws FlareError `project/path-length`, `project/state-invalid`.
 */
export function requireRoomForIssuer({ root, authority }: Pick<ProjectState, "root" | "authority">, stateFile: string): void {
  const pems = splitPem("CERTIFICATE", `${authority?.certificatePem ?? ""}${root.certificatePem}`);
  const chain = pems.map((certificatePem) => parseStored({ certificatePem }, "the authority", stateFile));
  if (roomBelow(chain) > 0) return;
  throw new FlareError(
    "project/path-length",
    "The path lengths in the certificates of the project's authority allow no authority below it, such as the server's for renewals.",
    { facts: { file: stateFile } },
  );
}

/**
 * Opens a certificate with its private key, and makes sure that they belong together.
 *
 * @throws FlareError `project/state-invalid`
 */
export function openIdentity({ certificatePem, privateKeyPem }: StoredIdentity, whose: string, stateFile: string): Authority {
  const certificate = parseStored({ certificatePem }, whose, stateFile);
  try {
    const privateKey = createPrivateKey(privateKeyPem);
    if (certificate.checkPrivateKey(privateKey)) return { certificate, certificatePem, privateKey };
  } catch {
    // The cause may quote the key.
    throw damaged(stateFile, `the private key of ${whose} cannot be read`);
  }
  throw damaged(stateFile, `the private key of ${whose} does not belong to its certificate`);
}

/**
 * Reads the first certificate of what was stored.
 *
 * @throws FlareError `project/state-invalid`
 */
export function parseStored({ certificatePem }: Pick<StoredRoot, "certificatePem">, whose: string, stateFile: string): X509Certificate {
  try {
    // As it stands, by the reader that all others use: one that forgives damage would let it through to them.
    const certificate = new X509Certificate(certificatePem);
    // Some damages show only when the key is looked at.
    if (certificate.publicKey.type === "public") return certificate;
  } catch (cause) {
    throw damaged(stateFile, `the certificate of ${whose} cannot be read`, cause);
  }
  throw damaged(stateFile, `the certificate of ${whose} cannot be read`);
}

function damaged(file: string, what: string, cause?: unknown): FlareError {
  return new FlareError("project/state-invalid", `${file}: ${what}.`, { facts: { file }, ...(cause === undefined ? {} : { cause }) });
}
