import { FlareError } from "@flare-ts/contracts";
import { isSignedBy, issuableBy, type ProjectTrust, readSubject, signBytes } from "@flare-ts/provision/kit";
import type { ProjectKeys } from "../session/project-keys.js";
import { transcript } from "../session/transcript.js";
import { verifyParticipant, verifyTrusted } from "../session/verify-certificate.js";
import type { Confirmation, SignedKey } from "./secure-documents.js";

/** For whom and for what something is signed. */
export interface SignedFor {
  readonly project: string;
  readonly jobId: string;
  readonly site: string;
}

type Signer = Pick<ProjectKeys, "certificatePem" | "privateKey">;

/** A site's key for a job, signed. */
export function signKey(publicKey: Uint8Array, subject: SignedFor, keys: Signer): SignedKey {
  const signature = signBytes(keyBytes(publicKey, subject), keys.privateKey).toString("base64");
  return {
    site: subject.site,
    public_key: Buffer.from(publicKey).toString("base64"),
    signature,
    certificate: keys.certificatePem,
  };
}

/**
 * Makes sure that a key is the site's.
 *
 * @returns the public key
 * @throws FlareError `secure/key-untrusted`
 */
export function verifyKey(key: SignedKey, subject: SignedFor, { trust, nowMs }: Verifier): Buffer {
  const publicKey = Buffer.from(key.public_key, "base64");
  if (publicKey.byteLength !== 32) throw untrusted(subject, "it is no X25519 key");
  verifySignature({ ...key, bytes: keyBytes(publicKey, subject) }, subject, { trust, nowMs });
  return publicKey;
}

/** A site's word that a sum is to be of whom a statement names. */
export function signStatement(statement: string, subject: SignedFor, keys: Signer): Confirmation {
  return { signature: signBytes(statementBytes(statement, subject), keys.privateKey).toString("base64"), certificate: keys.certificatePem };
}

/** @throws FlareError `secure/key-untrusted` unless the site has signed these very characters */
export function verifyStatement(statement: string, confirmation: Confirmation, subject: SignedFor, verifier: Verifier): void {
  verifySignature({ ...confirmation, bytes: statementBytes(statement, subject) }, subject, verifier);
}

interface Verifier {
  readonly trust: ProjectTrust;
  readonly nowMs: number;
}

/**
 * A certificate that the server has issued does not count, however it is signed: it could issue one for any site's name, and be all the
 * others of a sum by itself.
 */
function verifySignature(signed: Confirmation & { readonly bytes: Uint8Array }, subject: SignedFor, { trust, nowMs }: Verifier): void {
  const { certificate: chainPem } = signed;
  let identity: ReturnType<typeof verifyParticipant>;
  try {
    identity = verifyParticipant({ chainPem, trust, nowMs });
  } catch (reason) {
    throw untrusted(subject, `its certificate is not accepted: ${FlareError.from(reason).message}`, reason);
  }
  if (identity.kind !== "client" || identity.name !== subject.site) throw untrusted(subject, `its certificate is that of ${identity.name}`);
  const { certificate, issuedBy } = verifyTrusted({ chainPem, trust, nowMs });
  if (issuableBy(readSubject(issuedBy).role) !== undefined)
    throw untrusted(subject, "its certificate was issued by the server, in a renewal");
  if (!isSignedBy(signed.bytes, Buffer.from(signed.signature, "base64"), certificate.publicKey))
    throw untrusted(subject, "its signature is wrong");
}

function untrusted({ site, jobId }: SignedFor, why: string, cause?: unknown): FlareError {
  return new FlareError("secure/key-untrusted", `What came as the key or signature of ${site} is not accepted: ${why}.`, {
    facts: { site, job: jobId, why },
    cause,
  });
}

function keyBytes(publicKey: Uint8Array, { project, jobId, site }: SignedFor): Uint8Array {
  return transcript("flare-ts/1 secure key", [project, jobId, site, publicKey]);
}

function statementBytes(statement: string, { project, jobId, site }: SignedFor): Uint8Array {
  return transcript("flare-ts/1 secure sum", [project, jobId, site, statement]);
}
