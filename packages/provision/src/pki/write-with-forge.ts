import { type KeyObject, sign } from "node:crypto";
import { isIP } from "node:net";
import forge from "node-forge";
import type { CertificateContent } from "./certificate-content.js";
import { keyIdentifierOf } from "./read-issuer-name.js";
import type { CertificateSubject } from "./subject.js";

/** Where parts stand in the body of a certificate and of a request. */
const issuerIndex = 3;
const keyIndex = 6;
const requestKeyIndex = 2;

/** Writes a certificate for an RSA key, signed with an RSA key; DER. */
export function writeCertificateWithForge(content: CertificateContent, signingKey: KeyObject): Buffer {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = anyKey();
  certificate.serialNumber = content.serialNumber;
  certificate.validity.notBefore = content.validity.from;
  certificate.validity.notAfter = content.validity.to;
  certificate.setSubject(attributesOf(content.subject));
  certificate.setIssuer(attributesOf(content.subject));
  certificate.setExtensions(extensionsOf(content));
  certificate.sign(leaveOpen, undigested);
  const body = certificate.tbsCertificate;
  replacePart(body, keyIndex, keyDer(content.publicKey));
  // The issuer's own bytes: node-forge would take a name of several parts, or of other string types, apart.
  if (content.issuer !== undefined) replacePart(body, issuerIndex, content.issuer.nameDer);
  certificate.signature = signatureOf(body, signingKey);
  return toDer(forge.pki.certificateToAsn1(certificate));
}

/** Writes a request (PKCS #10) for an RSA key, signed with it; DER. */
export function writeRequestWithForge(subject: CertificateSubject, publicKey: KeyObject, privateKey: KeyObject): Buffer {
  const request = forge.pki.createCertificationRequest() as forge.pki.CertificateSigningRequest & {
    certificationRequestInfo: forge.asn1.Asn1;
    signature: string;
  };
  request.publicKey = anyKey();
  request.setSubject(attributesOf(subject));
  request.sign(leaveOpen, undigested);
  replacePart(request.certificationRequestInfo, requestKeyIndex, keyDer(publicKey));
  request.signature = signatureOf(request.certificationRequestInfo, privateKey);
  return toDer(forge.pki.certificationRequestToAsn1(request));
}

/** Stands in for a key: Node signs, because node-forge takes thirty times as long and would have to hold the key. */
const leaveOpen = { sign: () => "" } as unknown as forge.pki.rsa.PrivateKey;
const undigested = { algorithm: "sha256", update: () => undigested } as unknown as forge.md.MessageDigest;

/** Stands in for the key of a certificate, which takes node-forge long to read and to write again: OpenSSL's bytes replace it. */
function anyKey(): forge.pki.rsa.PublicKey {
  const one = new forge.jsbn.BigInteger("1");
  return forge.pki.setRsaPublicKey(one, one);
}

function keyDer(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: "spki", format: "der" });
}

function replacePart(body: forge.asn1.Asn1, index: number, der: Buffer): void {
  (body.value as forge.asn1.Asn1[])[index] = forge.asn1.fromDer(der.toString("latin1"));
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
  const identifier = octetString(keyIdentifierOf(content.publicKey));
  // node-forge writes the subject's own identifier here unless it is given the issuer's bytes.
  const authority =
    issuer === undefined ? [] : [{ name: "authorityKeyIdentifier", keyIdentifier: issuer.keyIdentifier.toString("latin1") }];
  if (kind.isAuthority) {
    const path = kind.pathLength === undefined ? {} : { pathLenConstraint: kind.pathLength };
    return [
      { name: "basicConstraints", cA: true, critical: true, ...path },
      { name: "keyUsage", digitalSignature: true, keyCertSign: true, cRLSign: true, critical: true },
      { name: "subjectKeyIdentifier", value: identifier },
      ...authority,
    ];
  }
  return [
    { name: "basicConstraints", cA: false, critical: true },
    { name: "keyUsage", digitalSignature: true, keyEncipherment: true, critical: true },
    { name: "extKeyUsage", serverAuth: kind.isServer, clientAuth: kind.isClient },
    { name: "subjectKeyIdentifier", value: identifier },
    ...authority,
    { name: "subjectAltName", altNames: kind.hosts.map((host) => (isIP(host) === 0 ? { type: 2, value: host } : { type: 7, ip: host })) },
  ];
}

function octetString(bytes: Buffer): forge.asn1.Asn1 {
  const { Class, Type } = forge.asn1;
  return forge.asn1.create(Class.UNIVERSAL, Type.OCTETSTRING, false, bytes.toString("latin1"));
}

function signatureOf(body: forge.asn1.Asn1, privateKey: KeyObject): string {
  return sign("sha256", toDer(body), privateKey).toString("latin1");
}

function toDer(value: forge.asn1.Asn1): Buffer {
  return Buffer.from(forge.asn1.toDer(value).getBytes(), "latin1");
}
