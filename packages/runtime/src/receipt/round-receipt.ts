import { createHash, X509Certificate } from "node:crypto";
import { contentHashSchema } from "@flare-ts/contracts";
import { isSignedBy, type ProjectTrust, signBytes } from "@flare-ts/provision/kit";
import { z } from "zod";
import type { ProjectKeys } from "../session/project-keys.js";
import { verifyServer } from "../session/verify-certificate.js";
import type { SignedReceipt } from "./signed-receipt.js";

const objectSchema = z.strictObject({ hash: contentHashSchema, size: z.int().nonnegative() });

/** What a receipt says of its round. */
const roundReceiptSchema = z.strictObject({
  format_version: z.literal(1),
  project: z.string(),
  job_id: z.string(),
  /** 1, 2, 3 … within the job. */
  number: z.int().positive(),
  /** SHA-256 of the document of the receipt before, in hex; of the first one empty. */
  previous: z.string(),
  round: z.int().nonnegative(),
  task: z.string(),
  opened_at_ms: z.int(),
  closed_at_ms: z.int(),
  /** The model that the sites were given. */
  base: objectSchema,
  /** The model that the round made. */
  model: objectSchema,
  /** The updates that are in it. */
  contributions: z.array(
    z.strictObject({
      site: z.string(),
      update: objectSchema,
      params_type: z.enum(["FULL", "DIFF"]),
      weight: z.number(),
      /** The model that it was made from, and how many were made since; only where sites do not wait for each other. */
      base: objectSchema.optional(),
      staleness: z.int().nonnegative().optional(),
    }),
  ),
  /** Sites that were asked and are not in it. */
  missing: z.array(z.string()),
  metrics: z.record(z.string(), z.number()),
  strategy: z.string(),
  engine: z.string(),
});

/** What a receipt says of its round. */
export type RoundReceipt = z.infer<typeof roundReceiptSchema>;

/** Whether a receipt is what it should be; else why not. */
export type ReceiptVerdict =
  | { readonly ok: true; readonly receipt: RoundReceipt; readonly server: string }
  | { readonly ok: false; readonly number: number; readonly why: string };

/** Signs what happened in a round. */
export function signReceipt(receipt: RoundReceipt, keys: ProjectKeys): SignedReceipt {
  const document = JSON.stringify(receipt);
  const signature = signBytes(receiptBytes(document), keys.privateKey).toString("base64");
  return { document, signature, certificate: keys.certificatePem };
}

/** Names a receipt in the one that follows. */
export function receiptDigest({ document }: SignedReceipt): string {
  return createHash("sha256").update(document).digest("hex");
}

/**
 * Checks the receipts of a job from the first on: each is signed by a server of the project, whose certificate was good when the round
 * closed, and names the one before, so that none can be changed, left out or put in between later.
 *
 * @param expected the job that they are to be of
 */
export function verifyReceipts(
  receipts: readonly SignedReceipt[],
  expected: { readonly trust: ProjectTrust; readonly jobId: string },
): readonly ReceiptVerdict[] {
  let previous = "";
  return receipts.map((signed, index) => {
    const number = index + 1;
    const refuse = (why: string): ReceiptVerdict => ({ ok: false, number, why });
    const parsed = roundReceiptSchema.safeParse(readJson(signed.document));
    const follows = previous;
    previous = receiptDigest(signed);
    if (!parsed.success) return refuse("it has not the form of a receipt");
    const receipt = parsed.data;
    if (receipt.project !== expected.trust.project || receipt.job_id !== expected.jobId) return refuse("it is of another job");
    if (receipt.number !== number || receipt.previous !== follows) return refuse("it does not follow the one before");
    try {
      const server = verifyServer({ chainPem: signed.certificate, trust: expected.trust, nowMs: receipt.closed_at_ms });
      const { publicKey } = new X509Certificate(signed.certificate);
      const isSigned = isSignedBy(receiptBytes(signed.document), Buffer.from(signed.signature, "base64"), publicKey);
      return isSigned ? { ok: true, receipt, server } : refuse("its signature is wrong");
    } catch (reason) {
      return refuse(`its certificate is not accepted: ${reason instanceof Error ? reason.message : String(reason)}`);
    }
  });
}

function receiptBytes(document: string): Uint8Array {
  return Buffer.from(`flare-ts/1 receipt\0${document}`);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
