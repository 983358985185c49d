import { type KeyObject, sign } from "node:crypto";
import { isIP } from "node:net";
import { promisify } from "node:util";
import forge from "node-forge";
import type { CertificateContent } from "./certificate-content.js";
import type { CertificateSubject } from "./subject.js";

const signInPool = promisify(sign) as (algorithm: string, data: Buffer, key: KeyObject) => Promise<Buffer>;
const issuerIndex = 3;

/** Writes a certificate for an RSA key, signed with an RSA key; DER. */
export async function writeCertificateWithForge(content: CertificateContent, signingKey: KeyObject): Promise<Buffer> {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = toForge(content.publicKey);
  certificate.serialNumber = content.serialNumber;
  certificate.validity.notBefore = content.validity.from;
  certificate.validity.notAfter = content.validity.to;
  certificate.setSubject(attributesOf(content.subject));
  certificate.setIssuer(attributesOf(content.subject));
  certificate.setExtensions(extensionsOf(content));
  certificate.sign(leaveOpen, forge.md.sha256.create());
  const body = certificate.tbsCertificate;
  if (content.issuer !== undefined) {
    // The issuer's own bytes: node-forge would take a name of several parts, or of other string types, apart.
    (body.value as forge.asn1.Asn1[])[issuerIndex] = forge.asn1.fromDer(content.issuer.nameDer.toString("latin1"));
  }
  certificate.signature = await signatureOf(body, signingKey);
  return toDer(forge.pki.certificateToAsn1(certificate));
}

/** Writes a request (PKCS #10) for an RSA key, signed with it; DER. */
export async function writeRequestWithForge(subject: CertificateSubject, publicKey: KeyObject, privateKey: KeyObject): Promise<Buffer> {
  const request = forge.pki.createCertificationRequest() as forge.pki.CertificateSigningRequest & {
    certificationRequestInfo: forge.asn1.Asn1;
    signature: string;
  };
  request.publicKey = toForge(publicKey);
  request.setSubject(attributesOf(subject));
  request.sign(leaveOpen, forge.md.sha256.create());
  request.signature = await signatureOf(request.certificationRequestInfo, privateKey);
  return toDer(forge.pki.certificationRequestToAsn1(request));
}

/** Stands in for a key: Node signs, because node-forge takes thirty times as long and would have to hold the key. */
const leaveOpen = { sign: () => "" } as unknown as forge.pki.rsa.PrivateKey;

function toForge(publicKey: KeyObject): forge.pki.rsa.PublicKey {
  return forge.pki.publicKeyFromPem(publicKey.export({ type: "spki", format: "pem" }).toString());
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

function extensionsOf(content: CertificateContent): object[] {
  const { kind, issuer } = content;
  // node-forge writes the subject's own identifier here unless it is given the issuer's bytes.
  const authority =
    issuer === undefined ? [] : [{ name: "authorityKeyIdentifier", keyIdentifier: issuer.keyIdentifier.toString("latin1") }];
  if (kind.isAuthority) {
    const path = kind.pathLength === undefined ? {} : { pathLenConstraint: kind.pathLength };
    return [
      { name: "basicConstraints", cA: true, critical: true, ...path },
      { name: "keyUsage", digitalSignature: true, keyCertSign: true, cRLSign: true, critical: true },
      { name: "subjectKeyIdentifier" },
      ...authority,
    ];
  }
  return [
    { name: "basicConstraints", cA: false, critical: true },
    { name: "keyUsage", digitalSignature: true, keyEncipherment: true, critical: true },
    { name: "extKeyUsage", serverAuth: kind.isServer, clientAuth: kind.isClient },
    { name: "subjectKeyIdentifier" },
    ...authority,
    { name: "subjectAltName", altNames: kind.hosts.map((host) => (isIP(host) === 0 ? { type: 2, value: host } : { type: 7, ip: host })) },
  ];
}

async function signatureOf(body: forge.asn1.Asn1, privateKey: KeyObject): Promise<string> {
  return (await signInPool("sha256", toDer(body), privateKey)).toString("latin1");
}

function toDer(value: forge.asn1.Asn1): Buffer {
  return Buffer.from(forge.asn1.toDer(value).getBytes(), "latin1");
}
