import { createPrivateKey, X509Certificate } from "node:crypto";
import { defaultStudy, FlareError, limits, type SignedJobDocument, signedJobSchema } from "@flare-ts/contracts";
import { isSignedBy, type ProjectTrust, signBytes } from "@flare-ts/provision/kit";
import type { JobFile } from "./job-folder.js";
import { decodeManifest, encodeManifest, type JobManifest } from "./job-manifest.js";
import { checkSigner, type Submitter } from "./job-signer.js";

const label = Buffer.from("flare-ts/1 job");

export interface CreateSignedJobInit {
  readonly folder: { readonly folderName: string; readonly files: readonly JobFile[] };
  /** A new UUID version 4. */
  readonly jobId: string;
  readonly project: string;
  /** Study that it is submitted to. @default that of everybody */
  readonly study?: string;
  readonly submitter: { readonly certificatePem: string; readonly privateKeyPem: string };
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/**
 * Signs a job with the submitter's key: the result carries the list of files with their hashes, the submitter's
 * certificate, and a signature of its key over `flare-ts/1 job` and the list.
 *
 * @throws FlareError `job/key-mismatch`
 */
export function createSignedJob(init: CreateSignedJobInit): Buffer {
  const { certificatePem, privateKeyPem } = init.submitter;
  const key = createPrivateKey(privateKeyPem);
  if (!new X509Certificate(certificatePem).checkPrivateKey(key)) {
    throw new FlareError("job/key-mismatch", "The private key of the submitter does not belong to the certificate.");
  }
  const manifest = encodeManifest({
    project: init.project,
    jobId: init.jobId,
    study: init.study ?? defaultStudy,
    jobFolderName: init.folder.folderName,
    createdAtMs: init.nowMs,
    files: init.folder.files,
  });
  const envelope: SignedJobDocument = {
    format_version: 1,
    manifest: manifest.toString("base64"),
    certificate: certificatePem,
    signature: signBytes(signedBytes(manifest), key).toString("base64"),
  };
  return Buffer.from(JSON.stringify(envelope));
}

export interface VerifySignedJobInit {
  readonly bytes: Uint8Array;
  /** Whom the verifier's project trusts. */
  readonly trust: ProjectTrust;
  readonly nowMs: number;
}

/** A signed job whose every part was found right. */
export interface VerifiedJob {
  readonly manifest: JobManifest;
  readonly submitter: Submitter;
  /** The submitter's certificate, with those that stand between it and a root; PEM. */
  readonly signerChainPem: string;
}

/**
 * Verifies a signed job: the certificate (a root of the project stands for it as an admin's; valid now, not revoked), then the
 * signature, then the project, then the list of files.
 *
 * @throws FlareError `job/signature-invalid`, `job/signer-untrusted`, `job/signer-revoked`, `job/signer-expired`,
 * `job/wrong-project`, `job/manifest-invalid`
 */
export function verifySignedJob(init: VerifySignedJobInit): VerifiedJob {
  const { trust, nowMs } = init;
  const { certificate: signerChainPem, manifest: manifestBytes, signature } = openEnvelope(init.bytes);
  const { submitter, certificate } = checkSigner({ chainPem: signerChainPem, trust, nowMs });
  if (!isSignedBy(signedBytes(manifestBytes), signature, certificate.publicKey)) {
    throw new FlareError("job/signature-invalid", `The signature of ${submitter.name} does not fit the job.`, {
      facts: { submitter: submitter.name },
    });
  }
  const manifest = decodeManifest(manifestBytes);
  if (manifest.project !== trust.project) {
    throw new FlareError("job/wrong-project", `The job was signed for the project '${manifest.project}', not '${trust.project}'.`, {
      facts: { signedFor: manifest.project, project: trust.project, submitter: submitter.name },
    });
  }
  return { manifest, submitter, signerChainPem };
}

/**
 * The moment at which a job was signed, by its own word. For a job that was accepted while its signer's
 * certificate was good.
 */
export function signingTime(bytes: Uint8Array): number {
  return decodeManifest(openEnvelope(bytes).manifest).createdAtMs;
}

function openEnvelope(bytes: Uint8Array) {
  if (bytes.length > limits.signedJobBytes) throw malformed("it is too large");
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw malformed("it is not JSON", cause);
  }
  const parsed = signedJobSchema.safeParse(value);
  if (!parsed.success) throw malformed("it does not have the form of a signed job", parsed.error);
  return {
    certificate: parsed.data.certificate,
    manifest: decodeBase64(parsed.data.manifest),
    signature: decodeBase64(parsed.data.signature),
  };
}

/** Node's decoder skips what is not base64; here every byte counts. */
function decodeBase64(text: string): Buffer {
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text) throw malformed("a part of it is not base64");
  return bytes;
}

function signedBytes(manifest: Buffer): Buffer {
  return Buffer.concat([label, manifest]);
}

function malformed(reason: string, cause?: unknown): FlareError {
  return new FlareError("job/signature-invalid", `This is not a signed job: ${reason}.`, { facts: { reason }, cause });
}
