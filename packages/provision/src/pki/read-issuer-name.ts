import { createHash, type KeyObject, X509Certificate } from "node:crypto";
import type { IssuerName } from "./certificate-content.js";
import { bitStringBytes, type DerElement, derTag, oidText, readDer, readDerList } from "./der.js";

const subjectKeyIdentifierOid = "2.5.29.14";

/** How certificates name the owner of this one as their issuer: its subject byte by byte, and the identifier of its key. */
export function readIssuerName(certificatePem: string): IssuerName {
  const { raw, publicKey } = new X509Certificate(certificatePem);
  const [body] = readDerList(readDer(raw, derTag.sequence).content);
  if (body === undefined) throw new TypeError("a certificate that OpenSSL reads has a body");
  // Version 3 begins with a tagged version: serial number, algorithm, issuer, validity, subject follow.
  const fields = readDerList(body.content);
  const subject = fields[5];
  if (subject === undefined) throw new TypeError("a certificate that OpenSSL reads has a subject");
  const extensions = fields.find(({ tag }) => tag === derTag.extensions);
  return { nameDer: subject.whole, keyIdentifier: identifierIn(extensions) ?? keyIdentifierOf(publicKey) };
}

/**
 * The identifier of a key: SHA-1 of its bits.
 *
 * @see RFC 5280, 4.2.1.2, method 1
 */
export function keyIdentifierOf(publicKey: KeyObject): Buffer {
  const parts = readDerList(readDer(publicKey.export({ type: "spki", format: "der" })).content);
  const bits = parts[1];
  if (bits === undefined) throw new TypeError("a public key that OpenSSL writes has bits");
  return createHash("sha1").update(bitStringBytes(bits)).digest();
}

function identifierIn(extensions: DerElement | undefined): Buffer | undefined {
  if (extensions === undefined) return undefined;
  for (const extension of readDerList(readDer(extensions.content).content)) {
    const [oid, ...rest] = readDerList(extension.content);
    const value = rest.at(-1);
    if (oid !== undefined && value !== undefined && oidText(oid) === subjectKeyIdentifierOid) return readDer(value.content).content;
  }
  return undefined;
}
