import { createPrivateKey, createPublicKey } from "node:crypto";
import { basename, dirname, join, resolve } from "node:path";
import {
  type CertificateRequestDocument,
  certificateRequestSchema,
  FlareError,
  type ParticipantFileDocument,
  participantFileSchema,
  readDocument,
} from "@flare-ts/contracts";
import { readTextIfPresent } from "../kit/read-if-present.js";
import { requestAuditFile } from "./audit.js";
import { publicKeySha256 } from "./hashes.js";
import { claimDifference, claimOfDocument, claimOfFile } from "./identity-claim.js";
import type { OpenApproval } from "./open-approval.js";

/** A request that was made on this machine. */
export interface LocalRequest {
  /** Absolute path of its folder. */
  readonly dir: string;
  readonly privateKeyPem: string;
  /** All that the participant file said. */
  readonly site: ParticipantFileDocument;
}

export interface FindRequestInit {
  readonly approval: OpenApproval;
  /** Path of the approval's archive: the request may be beside it. */
  readonly archive: string;
  /** Where the request is, when somebody says so; nowhere else is looked then. */
  readonly requestDir: string | undefined;
  /** Folder of the records. */
  readonly home: string;
}

/**
 * Finds the request that an approval answers, and makes sure that it is the same: number, project, name, organisation, role,
 * hashes, and the private key that the certificate was made for.
 *
 * @throws FlareError `request/not-found`, `request/invalid`, `request/mismatch`, `request/key-mismatch`, `file/unreadable`.
 */
export async function findRequest(init: FindRequestInit): Promise<LocalRequest> {
  const { approval } = init;
  const { name } = approval.claim;
  const places = await placesOf(init);
  for (const dir of places) {
    const [keyFile, requestFile, siteFile] = [join(dir, `${name}.key`), join(dir, "request.json"), join(dir, "site.yaml")];
    const [privateKeyPem, requestText, siteText] = await Promise.all([
      readTextIfPresent(keyFile),
      readTextIfPresent(requestFile),
      readTextIfPresent(siteFile),
    ]);
    if (privateKeyPem === undefined || requestText === undefined || siteText === undefined) continue;
    const code = "request/invalid";
    const { value: request } = readDocument({ text: requestText, file: requestFile, schema: certificateRequestSchema, code });
    // A folder that was guessed may hold another request of the same name.
    if (init.requestDir === undefined && request.request_id !== approval.document.request_id) continue;
    const { value: site } = readDocument({ text: siteText, file: siteFile, schema: participantFileSchema, code });
    checkSame(approval, request, site, dir);
    checkKey(approval, privateKeyPem, keyFile);
    return { dir, privateKeyPem, site };
  }
  throw new FlareError("request/not-found", `The request ${approval.document.request_id} of ${name} is in none of: ${places.join(", ")}.`, {
    facts: { requestId: approval.document.request_id, name, places: [...places] },
  });
}

async function placesOf({ approval, archive, requestDir, home }: FindRequestInit): Promise<readonly string[]> {
  if (requestDir !== undefined) return [resolve(requestDir)];
  const beside = dirname(resolve(archive));
  const recorded = await recordedDir(requestAuditFile(home, approval.document.request_id));
  const { name } = approval.claim;
  // The archive may have been put into the request's folder.
  const own = basename(beside) === name ? [beside] : [];
  return [...(recorded === undefined ? [] : [recorded]), join(beside, name), ...own];
}

async function recordedDir(file: string): Promise<string | undefined> {
  const text = await readTextIfPresent(file);
  try {
    const { request_dir } = JSON.parse(text ?? "{}") as { request_dir?: unknown };
    return typeof request_dir === "string" ? request_dir : undefined;
  } catch {
    return undefined;
  }
}

function checkSame(approval: OpenApproval, request: CertificateRequestDocument, site: ParticipantFileDocument, dir: string): void {
  const { document, claim } = approval;
  const own = claimOfDocument(request);
  const facts: readonly (readonly [what: string, asked: string, approved: string])[] = [
    ["request_id", request.request_id, document.request_id],
    ["csr_sha256", request.csr_sha256, document.hashes.csr_sha256],
    ["public_key_sha256", request.public_key_sha256, document.hashes.public_key_sha256],
    ["site_yaml_sha256", request.site_yaml_sha256, document.hashes.site_yaml_sha256],
  ];
  const wrong = facts.find(([, asked, approved]) => asked !== approved);
  const difference = claimDifference(own, claim) ?? claimDifference(own, claimOfFile(site)) ?? wrong?.join(" ");
  if (difference === undefined) return;
  throw new FlareError("request/mismatch", `The approval is not for the request in ${dir}: ${difference}.`, {
    facts: { dir, problem: difference },
  });
}

function checkKey(approval: OpenApproval, privateKeyPem: string, file: string): void {
  try {
    if (publicKeySha256(createPublicKey(createPrivateKey(privateKeyPem))) === approval.document.hashes.public_key_sha256) return;
  } catch {
    // The cause may quote the key; that it is none is said below.
  }
  throw new FlareError("request/key-mismatch", `${file} is not the private key that the certificate was made for.`, { facts: { file } });
}
