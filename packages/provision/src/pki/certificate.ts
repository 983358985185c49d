import { type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";
import forge from "node-forge";

/** Whom a certificate names. */
interface CertificateSubject {
  readonly commonName: string;
  readonly org?: string;
  /** Goes into unstructuredName (OID 1.2.840.113549.1.9.2), where FLARE keeps it. */
  readonly role?: string;
}

/** When a certificate is good. */
export interface Validity {
  readonly from: Date;
  readonly to: Date;
}

/** Issuer of leaf certificates. */
export interface Issuer {
  readonly certificatePem: string;
  readonly privateKey: KeyObject;
}

interface RootInit {
  readonly subject: CertificateSubject;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly validity: Validity;
}

interface LeafInit {
  readonly subject: CertificateSubject;
  readonly publicKey: KeyObject;
  readonly validity: Validity;
  readonly issuer: Issuer;
  /** DNS names and IP addresses. */
  readonly hosts: readonly string[];
  readonly purpose: "server" | "client";
}

/** Makes a self-signed certificate that may sign others; PEM. */
export function issueRoot({ subject, privateKey, publicKey, validity }: RootInit): string {
  const certificate = prepare(subject, publicKey, validity);
  certificate.setIssuer(attributesOf(subject));
  certificate.setExtensions([
    { name: "basicConstraints", cA: true, critical: true },
    { name: "keyUsage", digitalSignature: true, keyCertSign: true, cRLSign: true, critical: true },
    { name: "subjectKeyIdentifier" },
  ]);
  return signWith(privateKey, certificate);
}

/** Makes a certificate for a participant, signed by the issuer; PEM. */
export function issueLeaf({ subject, publicKey, validity, issuer, hosts, purpose }: LeafInit): string {
  const issuerCertificate = forge.pki.certificateFromPem(issuer.certificatePem);
  const certificate = prepare(subject, publicKey, validity);
  certificate.setIssuer(issuerCertificate.subject.attributes);
  certificate.setExtensions([
    { name: "basicConstraints", cA: false, critical: true },
    { name: "keyUsage", digitalSignature: true, keyEncipherment: true, critical: true },
    { name: "extKeyUsage", serverAuth: purpose === "server", clientAuth: purpose === "client" },
    { name: "subjectKeyIdentifier" },
    // node-forge writes the subject's own identifier here unless it is given the issuer's bytes.
    { name: "authorityKeyIdentifier", keyIdentifier: issuerCertificate.generateSubjectKeyIdentifier().getBytes() },
    { name: "subjectAltName", altNames: hosts.map((host) => (isIP(host) === 0 ? { type: 2, value: host } : { type: 7, ip: host })) },
  ]);
  return signWith(issuer.privateKey, certificate);
}

function prepare(subject: CertificateSubject, publicKey: KeyObject, validity: Validity): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey.export({ type: "spki", format: "pem" }).toString());
  certificate.serialNumber = randomSerial();
  certificate.validity.notBefore = validity.from;
  certificate.validity.notAfter = validity.to;
  certificate.setSubject(attributesOf(subject));
  return certificate;
}

function attributesOf({ commonName, org, role }: CertificateSubject): forge.pki.CertificateField[] {
  // PrintableString, node-forge's default, has neither @ nor _.
  const valueTagClass = forge.asn1.Type.UTF8 as unknown as forge.asn1.Class;
  return [
    { name: "commonName", value: commonName, valueTagClass },
    ...(org === undefined ? [] : [{ name: "organizationName", value: org, valueTagClass }]),
    ...(role === undefined ? [] : [{ name: "unstructuredName", value: role, valueTagClass }]),
  ];
}

/** 128 random bits, positive and without a leading zero byte (RFC 5280, 4.1.2.2: positive, 20 bytes at most). */
function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}

/** Signs with Node's own RSA: node-forge's takes thirty times as long and would have to hold the key. */
function signWith(privateKey: KeyObject, certificate: forge.pki.Certificate): string {
  const leaveOpen = { sign: () => "" } as unknown as forge.pki.rsa.PrivateKey;
  certificate.sign(leaveOpen, forge.md.sha256.create());
  const body = Buffer.from(forge.asn1.toDer(certificate.tbsCertificate).getBytes(), "latin1");
  certificate.signature = sign("sha256", body, privateKey).toString("latin1");
  return forge.pki.certificateToPem(certificate).replaceAll("\r\n", "\n");
}
