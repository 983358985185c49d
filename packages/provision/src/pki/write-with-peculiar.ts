// The library's container asks for it before anything else is loaded.
import "reflect-metadata";
import type { KeyObject, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";
import { type CertificateContent, enciphersKeys } from "./certificate-content.js";
import { keyIdentifierOf } from "./read-issuer-name.js";
import type { RevocationListContent } from "./revocation-list-content.js";
import type { CertificateSubject } from "./subject.js";

/** Writes a certificate in which a key on a curve has a part, as the subject's or as the issuer's; DER. */
export async function writeCertificateWithPeculiar(content: CertificateContent, signingKey: KeyObject): Promise<Buffer> {
  const subject = nameOf(content.subject);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: content.serialNumber,
    subject,
    issuer: content.issuer === undefined ? subject : new x509.Name(exact(content.issuer.nameDer)),
    notBefore: content.validity.from,
    notAfter: content.validity.to,
    publicKey: exact(content.publicKey.export({ type: "spki", format: "der" })),
    signingKey: toWebCrypto(signingKey, ["sign"]),
    extensions: extensionsOf(content),
  });
  return Buffer.from(certificate.rawData);
}

/** Writes a request (PKCS #10) for a key on a curve, signed with it; DER. */
export async function writeRequestWithPeculiar(subject: CertificateSubject, publicKey: KeyObject, privateKey: KeyObject): Promise<Buffer> {
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: nameOf(subject),
    keys: { publicKey: toWebCrypto(publicKey, ["verify"]), privateKey: toWebCrypto(privateKey, ["sign"]) },
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
  });
  return Buffer.from(request.rawData);
}

/** Writes a revocation list, signed with an RSA key or one on a curve; DER. */
export async function writeRevocationListWithPeculiar(content: RevocationListContent, signingKey: KeyObject): Promise<Buffer> {
  const key = toWebCrypto(signingKey, ["sign"]);
  const list = await x509.X509CrlGenerator.create({
    issuer: new x509.Name(exact(content.issuer.nameDer)),
    thisUpdate: content.from,
    nextUpdate: content.nextUpdate,
    entries: content.revoked.map(({ serialNumber, at, reason }) => ({
      serialNumber,
      revocationDate: at,
      reason: x509.X509CrlReason[reason],
    })),
    extensions: [
      new x509.AuthorityKeyIdentifierExtension(content.issuer.keyIdentifier.toString("hex")),
      new x509.Extension(crlNumberOid, false, exact(derInteger(content.number))),
    ],
    signingAlgorithm: { name: key.algorithm.name, hash: "SHA-256" },
    signingKey: key,
  });
  return Buffer.from(list.rawData);
}

const crlNumberOid = "2.5.29.20";
const unstructuredNameOid = "1.2.840.113549.1.9.2";

function nameOf({ commonName, org, role }: CertificateSubject): x509.Name {
  return new x509.Name([
    { CN: [{ utf8String: commonName }] },
    ...(org === undefined ? [] : [{ O: [{ utf8String: org }] }]),
    ...(role === undefined ? [] : [{ [unstructuredNameOid]: [{ utf8String: role }] }]),
  ]);
}

function extensionsOf(content: CertificateContent): x509.Extension[] {
  const { kind, issuer, publicKey } = content;
  const identifiers = [
    new x509.SubjectKeyIdentifierExtension(keyIdentifierOf(publicKey).toString("hex")),
    ...(issuer === undefined ? [] : [new x509.AuthorityKeyIdentifierExtension(issuer.keyIdentifier.toString("hex"))]),
  ];
  if (kind.isAuthority) {
    const { digitalSignature, keyCertSign, cRLSign } = x509.KeyUsageFlags;
    return [
      new x509.BasicConstraintsExtension(true, kind.pathLength, true),
      new x509.KeyUsagesExtension(digitalSignature | keyCertSign | cRLSign, true),
      ...identifiers,
    ];
  }
  const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(enciphersKeys(content) ? digitalSignature | keyEncipherment : digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([...(kind.isServer ? [serverAuth] : []), ...(kind.isClient ? [clientAuth] : [])]),
    ...identifiers,
    new x509.SubjectAlternativeNameExtension(kind.hosts.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value }))),
  ];
}

function toWebCrypto(key: KeyObject, usages: webcrypto.KeyUsage[]): webcrypto.CryptoKey {
  const algorithm =
    key.asymmetricKeyType === "rsa" ? { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } : { name: "ECDSA", namedCurve: "P-256" };
  // The library exports the public key that it writes into a request; a private key it only signs with.
  return key.toCryptoKey(algorithm, key.type === "public", usages);
}

/** A positive integer in DER. */
function derInteger(value: number): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  const content = (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.from([0]), bytes]);
  return Buffer.concat([Buffer.from([0x02, content.length]), content]);
}

/** The library takes the whole buffer behind a view. */
function exact(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
