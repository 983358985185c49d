import { z } from "zod";
import { limits } from "../limits.js";

/** Reasons of RFC 5280, 5.3.1, that may stand in a trust list and in a CRL. */
export const revocationReasons = [
  "unspecified",
  "keyCompromise",
  "cACompromise",
  "affiliationChanged",
  "superseded",
  "cessationOfOperation",
  "privilegeWithdrawn",
] as const;
export type RevocationReason = (typeof revocationReasons)[number];

/** A trust list as it travels and lies in a file: the exact bytes that were signed, with a signature of each root. */
export const trustListSchema = z.strictObject({
  format_version: z.literal(1),
  /** Base64 of the document's bytes, so that what was signed is never written anew. */
  document: z.string(),
  signatures: z
    .array(
      z.strictObject({
        /** SHA-256 of the signer's certificate, lower-case hexadecimal: a root's, or that of the project's own authority below one. */
        root: z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in lower-case hexadecimal"),
        /** Base64; a signature of `signBytes` over `flare-ts/1 trust`, a zero byte and the document's bytes. */
        signature: z.string(),
        /** Of an authority that is no root: its certificate, then those between it and the root; PEM. */
        chain: z.string().optional(),
      }),
    )
    .max(limits.trustedRoots),
});

/** Somebody whose certificates are worth nothing: those that are listed, and all of that name up to a moment. */
const revocationSchema = z.strictObject({
  /** Common name. */
  name: z.string().min(1).max(256),
  /** Serial numbers in hexadecimal. */
  serials: z.array(z.string().regex(/^[0-9a-fA-F]{1,64}$/, "must be a serial number in hexadecimal")),
  revoked_at_ms: z.int().min(0),
  reason: z.enum(revocationReasons),
});

/** What the roots of a project sign: which roots are trusted from now on, and who is not trusted any more. */
export const trustListDocumentSchema = z.strictObject({
  project: z.string().min(1).max(256),
  /** Counts up; a list replaces those with lower numbers. */
  number: z.int().min(1).max(0xffff_ffff),
  issued_at_ms: z.int().min(0),
  /** Every root certificate that is trusted; PEM. */
  roots: z.array(z.string()).min(1).max(limits.trustedRoots),
  revoked: z.array(revocationSchema),
});

export type TrustList = z.infer<typeof trustListSchema>;
export type TrustListDocument = z.infer<typeof trustListDocumentSchema>;
export type Revocation = TrustListDocument["revoked"][number];
