import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { FlareError } from "@flare-ts/contracts";
import { bitStringBytes, type DerElement, DerError, derTag, oidText, readDer, readDerList } from "./der.js";
import { fromPem } from "./pem.js";
import type { SubjectFields } from "./read-certificate.js";
import { weaknessOf } from "./weakness-of.js";

/** A request for a certificate whose sender has shown that the key is theirs. */
export interface CertificateRequest {
  readonly publicKey: KeyObject;
  /** What the sender would like to be called; whoever issues decides. Empty where the request says nothing. */
  readonly subject: SubjectFields;
  /** The request's bytes. */
  readonly der: Buffer;
}

/** A request for an RSA key of 4096 bits has about 2 KB. */
const mostChars = 16 * 1024;

/** Signatures that are accepted, by object identifier. */
const digests: Readonly<Record<string, { readonly keyType: string; readonly digest: string }>> = {
  "1.2.840.113549.1.1.11": { keyType: "rsa", digest: "sha256" },
  "1.2.840.113549.1.1.12": { keyType: "rsa", digest: "sha384" },
  "1.2.840.113549.1.1.13": { keyType: "rsa", digest: "sha512" },
  "1.2.840.10045.4.3.2": { keyType: "ec", digest: "sha256" },
  "1.2.840.10045.4.3.3": { keyType: "ec", digest: "sha384" },
  "1.2.840.10045.4.3.4": { keyType: "ec", digest: "sha512" },
};

const commonNameOid = "2.5.4.3";
const organizationOid = "2.5.4.10";
const unstructuredNameOid = "1.2.840.113549.1.9.2";
const textTags: readonly number[] = [derTag.utf8String, derTag.printableString, derTag.ia5String];

/**
 * Reads a request (PKCS #10, PEM) from whoever, and makes sure that it was signed with the key that it brings. The check is
 * done by Node's crypto.
 *
 * @throws FlareError `certificate/request-invalid`, `certificate/key-refused`.
 * @see RFC 2986
 */
export function readRequest(csrPem: string): CertificateRequest {
  if (csrPem.length > mostChars) throw invalid(`it has ${csrPem.length} characters; ${mostChars} are read at most`);
  const blocks = [...fromPem("CERTIFICATE REQUEST", csrPem), ...fromPem("NEW CERTIFICATE REQUEST", csrPem)];
  const [der] = blocks;
  if (der === undefined || blocks.length > 1) throw invalid(`it holds ${blocks.length} requests in PEM instead of one`);
  try {
    return readDocument(der);
  } catch (cause) {
    if (cause instanceof DerError) throw invalid(cause.message, cause);
    throw cause;
  }
}

function readDocument(der: Buffer): CertificateRequest {
  const [body, algorithm, signature] = exactly(3, readDer(der, derTag.sequence));
  const [version, name, keyInfo] = exactly(4, body);
  if (version.tag !== derTag.integer || version.content.toString("hex") !== "00") throw new DerError("its version is not 1");
  const subject = readName(name);
  const publicKey = readKey(keyInfo);
  const weakness = weaknessOf(publicKey);
  if (weakness !== undefined) throw new FlareError("certificate/key-refused", `The key of the request is refused: ${weakness}.`);
  if (!isSigned(digestOf(algorithm, publicKey), body.whole, publicKey, bitStringBytes(signature))) {
    throw new DerError("its signature is not by the key that it brings");
  }
  return { publicKey, subject, der };
}

function digestOf({ tag, content }: DerElement, publicKey: KeyObject): string {
  const [oid, ...parameters] = readDerList(content);
  const method = oid === undefined ? undefined : digests[oidText(oid)];
  // Not covered by the signature, so that only what cannot mean anything else is let through: nothing, or NULL.
  const isPlain = parameters.length === 0 || Buffer.concat(parameters.map(({ whole }) => whole)).toString("hex") === "0500";
  if (tag !== derTag.sequence || !isPlain || method === undefined || method.keyType !== publicKey.asymmetricKeyType) {
    throw new DerError("its kind of signature is not known");
  }
  return method.digest;
}

function isSigned(digest: string, body: Buffer, publicKey: KeyObject, signature: Buffer): boolean {
  try {
    return verify(digest, body, publicKey, signature);
  } catch {
    return false;
  }
}

function readKey({ whole }: DerElement): KeyObject {
  try {
    return createPublicKey({ key: whole, format: "der", type: "spki" });
  } catch (cause) {
    throw new FlareError("certificate/key-refused", "The key of the request is refused: it cannot be read.", { cause });
  }
}

function readName(name: DerElement): SubjectFields {
  if (name.tag !== derTag.sequence) throw new DerError("its subject is not a name");
  const found = new Map<string, string>();
  for (const set of readDerList(name.content)) {
    for (const attribute of readDerList(set.content)) {
      const [type, value] = exactly(2, attribute);
      const oid = oidText(type);
      if (![commonNameOid, organizationOid, unstructuredNameOid].includes(oid)) continue;
      if (found.has(oid)) throw new DerError("its subject says the same thing twice");
      found.set(oid, readText(value));
    }
  }
  return {
    commonName: found.get(commonNameOid) ?? "",
    org: found.get(organizationOid) ?? "",
    role: found.get(unstructuredNameOid) ?? "",
  };
}

function readText({ tag, content }: DerElement): string {
  if (!textTags.includes(tag)) throw new DerError("a text of its subject is of an unusual kind");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    throw new DerError("a text of its subject is not UTF-8");
  }
}

interface ElementsOf {
  readonly 2: readonly [DerElement, DerElement];
  readonly 3: readonly [DerElement, DerElement, DerElement];
  readonly 4: readonly [DerElement, DerElement, DerElement, DerElement];
}

function exactly<Count extends keyof ElementsOf>(count: Count, { tag, content }: DerElement): ElementsOf[Count] {
  const elements = readDerList(content);
  if (tag !== derTag.sequence || elements.length !== count) throw new DerError("it is not built like a request");
  return elements as unknown as ElementsOf[Count];
}

function invalid(why: string, cause?: unknown): FlareError {
  return new FlareError("certificate/request-invalid", `The request for a certificate cannot be used: ${why}.`, { cause });
}
