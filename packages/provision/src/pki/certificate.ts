import { type KeyObject, randomBytes } from "node:crypto";
import { issuerRole } from "../kit/issuer-role.js";
import type { CertificateContent, LeafKind, Validity } from "./certificate-content.js";
import { splitPem, toPem } from "./pem.js";
import { readIssuerName } from "./read-issuer-name.js";
import type { CertificateSubject } from "./subject.js";

/** Who issues certificates. */
export interface Issuer {
  /** Its certificate, followed by those of its own issuers below the root, if there are any; PEM. */
  readonly certificatePem: string;
  readonly privateKey: KeyObject;
}

/** What a participant's certificate is for: to be dialled, to dial, or both, as a relay does. */
export type CertificatePurpose = "server" | "client" | "relay";

export interface RootInit {
  readonly subject: CertificateSubject;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly validity: Validity;
}

export interface IntermediateInit {
  readonly commonName: string;
  /** Kinds of participants that it may name; `admin` stands for every role of an admin. */
  readonly mayIssue: readonly string[];
  readonly publicKey: KeyObject;
  readonly validity: Validity;
  readonly issuer: Issuer;
}

export interface OwnCertificateInit {
  readonly commonName: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly validity: Validity;
  /** DNS names and IP addresses. */
  readonly hosts: readonly string[];
}

export interface LeafInit {
  readonly subject: CertificateSubject;
  readonly publicKey: KeyObject;
  readonly validity: Validity;
  readonly issuer: Issuer;
  /** DNS names and IP addresses. */
  readonly hosts: readonly string[];
  readonly purpose: CertificatePurpose;
}

/** Makes a self-signed certificate that may sign others; PEM. */
export async function issueRoot({ subject, privateKey, publicKey, validity }: RootInit): Promise<string> {
  return await write({ subject, publicKey, validity, issuer: undefined, kind: { isAuthority: true } }, privateKey);
}

/**
 * Makes a certificate that may sign those of participants, and no further authority; PEM. What it may issue stands in its
 * unstructuredName, `issuer:client,server`: whoever verifies a participant's certificate refuses every other role.
 */
export async function issueIntermediate({ commonName, mayIssue, publicKey, validity, issuer }: IntermediateInit): Promise<string> {
  const subject = { commonName, role: issuerRole(mayIssue) };
  return await writeBelow(issuer, { subject, publicKey, validity, kind: { isAuthority: true, pathLength: 0 } });
}

/** Makes a certificate for an authority that may issue everything below another, intermediates included; PEM. */
export async function issueAuthority({ commonName, ...rest }: Omit<IntermediateInit, "mayIssue">): Promise<string> {
  const { issuer, publicKey, validity } = rest;
  return await writeBelow(issuer, { subject: { commonName }, publicKey, validity, kind: { isAuthority: true } });
}

/** Makes a certificate for a participant, signed by the issuer; PEM of this certificate alone. */
export async function issueLeaf({ subject, publicKey, validity, issuer, hosts, purpose }: LeafInit): Promise<string> {
  const kind: LeafKind = { isAuthority: false, isServer: purpose !== "client", isClient: purpose !== "server", hosts };
  return await writeBelow(issuer, { subject, publicKey, validity, kind });
}

/**
 * Makes a certificate for a web server that nobody else has signed; PEM. It belongs to no project: browsers warn of it until
 * somebody has looked at its fingerprint.
 */
export async function issueOwnCertificate({ commonName, privateKey, publicKey, validity, hosts }: OwnCertificateInit): Promise<string> {
  const kind: LeafKind = { isAuthority: false, isServer: true, isClient: false, hosts };
  return await write({ subject: { commonName }, publicKey, validity, issuer: undefined, kind }, privateKey);
}

async function writeBelow(issuer: Issuer, content: Omit<CertificateContent, "issuer" | "serialNumber">): Promise<string> {
  const [own = ""] = splitPem("CERTIFICATE", issuer.certificatePem);
  return await write({ ...content, issuer: readIssuerName(own) }, issuer.privateKey);
}

async function write(content: Omit<CertificateContent, "serialNumber">, signingKey: KeyObject): Promise<string> {
  const whole = { ...content, serialNumber: randomSerial() };
  const isRsaOnly = [content.publicKey, signingKey].every(({ asymmetricKeyType }) => asymmetricKeyType === "rsa");
  // Each library is loaded when it is needed: node-forge knows no curves, @peculiar/x509 takes 0.2 s to load.
  const der = isRsaOnly
    ? (await import("./write-with-forge.js")).writeCertificateWithForge(whole, signingKey)
    : await (await import("./write-with-peculiar.js")).writeCertificateWithPeculiar(whole, signingKey);
  return toPem("CERTIFICATE", der);
}

/** 128 random bits, positive and without a leading zero byte (RFC 5280, 4.1.2.2: positive, 20 bytes at most). */
function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}
