import { contentHashSchema, FlareError, siteNameSchema } from "@flare-ts/contracts";
import { z } from "zod";

const base64 = z.base64().max(16_384);
const certificate = z.string().max(65_536);
const seed = z.string().regex(/^[0-9a-f]{64}$/);

/** A site's key for a job, with what shows that it is the site's. */
const signedKeySchema = z.strictObject({
  site: siteNameSchema,
  /** X25519, 32 bytes. */
  public_key: base64,
  /** By the key of the site's certificate. */
  signature: base64,
  /** With the certificates between it and a root; PEM. */
  certificate,
});

export type SignedKey = z.infer<typeof signedKeySchema>;

/** Whose updates may be in a sum: each of them masks its own with the keys of all others. */
const rosterSchema = z.strictObject({ format_version: z.literal(1), keys: z.array(signedKeySchema) });

export type Roster = z.infer<typeof rosterSchema>;

/** Whose updates are in a sum. Every one of them signs the same characters, or none reveals anything. */
const statementSchema = z.strictObject({
  format_version: z.literal(1),
  job_id: z.string(),
  round: z.int().nonnegative(),
  task: z.string(),
  attempt: z.int().nonnegative(),
  /** The model that all of them have trained on. */
  model: contentHashSchema,
  roster: contentHashSchema,
  /** Sorted by site; with the masked update of each. */
  contributors: z.array(z.strictObject({ site: siteNameSchema, update: contentHashSchema })),
});

export type SumStatement = z.infer<typeof statementSchema>;

const confirmationSchema = z.strictObject({ signature: base64, certificate });

export type Confirmation = z.infer<typeof confirmationSchema>;

/** A statement with the signatures of all whom it names. */
const proofSchema = z.strictObject({
  format_version: z.literal(1),
  statement: z.string(),
  confirmations: z.array(confirmationSchema.extend({ site: siteNameSchema })),
});

export type SumProof = z.infer<typeof proofSchema>;

/** What a site gives to take its masks out of a sum: its own one, and those that it shares with sites that are not in it. */
const revealedSchema = z.strictObject({ self: seed, pairs: z.record(siteNameSchema, seed) });

export type RevealedSeeds = z.infer<typeof revealedSchema>;

/** A document as its bytes; the same content gives the same ones. */
export function encodeDocument(document: SignedKey | Roster | SumStatement | Confirmation | SumProof | RevealedSeeds): Buffer {
  return Buffer.from(JSON.stringify(document));
}

export const readSignedKey = readerOf(signedKeySchema, "a site's key for a job");
export const readRoster = readerOf(rosterSchema, "the keys of a round");
export const readStatement = readerOf(statementSchema, "the statement of a sum");
export const readConfirmation = readerOf(confirmationSchema, "a site's signature under a sum");
export const readProof = readerOf(proofSchema, "a statement with its signatures");
export const readRevealed = readerOf(revealedSchema, "the seeds that a site reveals");

/** @throws FlareError `secure/answer-invalid` for what has not the form of the document */
function readerOf<Output>(schema: z.ZodType<Output>, what: string): (bytes: Uint8Array | string) => Output {
  return (bytes) => {
    const parsed = schema.safeParse(parseJson(typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8")));
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    const why = issue === undefined ? "" : `: ${issue.path.join(".")} ${issue.message}`;
    throw new FlareError("secure/answer-invalid", `What came is not ${what}${why}.`, { facts: { what } });
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
