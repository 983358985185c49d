import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  type AuthorityFileDocument,
  authorityFileSchema,
  FlareError,
  type ProjectProfile,
  projectProfileSchema,
  readDocument,
} from "@flare-ts/contracts";
import { readSubject } from "../pki/read-certificate.js";
import { fingerprintOf } from "./fingerprint.js";
import { readTextFile } from "./read-text-file.js";
import { isSealed, openSealedKey } from "./sealed-key.js";

/** Names of the files of a certificate authority: FLARE's. */
export const authorityFiles = { certificate: "rootCA.pem", privateKey: "rootCA.key", document: "ca.json" } as const;

/** A certificate authority as `flare cert init` wrote it. */
export interface Authority {
  /** Absolute path. */
  readonly dir: string;
  readonly document: AuthorityFileDocument;
  readonly certificate: X509Certificate;
  /** As the file has it, byte by byte. */
  readonly certificatePem: string;
  /** The file with the private key, encrypted or not. */
  readonly privateKeyText: string;
}

/**
 * Reads the folder of a certificate authority, but does not open its key.
 *
 * @throws FlareError `request/authority-invalid`.
 */
export async function readAuthority(path: string): Promise<Authority> {
  const dir = resolve(path);
  const [certificatePem, privateKeyText, documentText] = await Promise.all([
    readPart(dir, authorityFiles.certificate),
    readPart(dir, authorityFiles.privateKey),
    readPart(dir, authorityFiles.document),
  ]);
  const file = join(dir, authorityFiles.document);
  const { value: document } = readDocument({ text: documentText, file, schema: authorityFileSchema, code: "request/authority-invalid" });
  const certificate = parseRoot(certificatePem, join(dir, authorityFiles.certificate));
  const fingerprint = fingerprintOf(certificate);
  if (fingerprint !== document.rootCA_fingerprint) {
    throw invalid(file, `speaks of another certificate than ${authorityFiles.certificate} (${fingerprint})`);
  }
  const { commonName } = readSubject(certificate);
  if (commonName !== document.project) throw invalid(file, `is for ${document.project}, but the certificate is of ${commonName}`);
  return { dir, document, certificate, certificatePem, privateKeyText };
}

/**
 * Reads the profile of a project.
 *
 * @throws FlareError `request/invalid` with each mistake and its line, `file/not-found`, `file/unreadable`.
 */
export async function readProfile(file: string): Promise<ProjectProfile> {
  const text = await readTextFile(file);
  return readDocument({ text, file, schema: projectProfileSchema, code: "request/invalid" }).value;
}

/**
 * Opens the authority's private key; the passphrase is asked for when the key is encrypted.
 *
 * @throws FlareError `request/wrong-passphrase`, `request/authority-invalid` when it is none, or another certificate's.
 */
export async function openAuthorityKey(
  { dir, certificate, privateKeyText }: Authority,
  passphrase: () => Promise<string>,
): Promise<KeyObject> {
  const file = join(dir, authorityFiles.privateKey);
  const pem = isSealed(privateKeyText) ? await openSealedKey(privateKeyText, file, await passphrase()) : privateKeyText;
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // The cause may quote the key.
    throw invalid(file, "is not a private key");
  }
  if (!certificate.checkPrivateKey(key)) throw invalid(file, `does not belong to ${authorityFiles.certificate}`);
  return key;
}

async function readPart(dir: string, name: string): Promise<string> {
  const file = join(dir, name);
  return await readFile(file, "utf8").catch((cause: unknown) => {
    const { code } = cause as NodeJS.ErrnoException;
    throw invalid(file, code === "ENOENT" ? "is missing" : `cannot be read (${code})`, cause);
  });
}

function parseRoot(pem: string, file: string): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch (cause) {
    throw invalid(file, "is not a certificate", cause);
  }
  if (!certificate.ca || !certificate.checkIssued(certificate)) throw invalid(file, "is not a root certificate");
  return certificate;
}

function invalid(file: string, what: string, cause?: unknown): FlareError {
  return new FlareError("request/authority-invalid", `${file} ${what}.`, { cause, facts: { file, problem: what } });
}
