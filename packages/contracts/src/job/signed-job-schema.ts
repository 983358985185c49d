import { z } from "zod";
import { contentHashSchema, jobIdSchema, studyNameSchema } from "../ids/names.js";
import { limits } from "../limits.js";

/** A signed job as it travels and lies in the store: one JSON document. */
export const signedJobSchema = z.strictObject({
  format_version: z.literal(1),
  /** Base64 of the manifest's bytes, so that what was signed is never written anew. */
  manifest: z.string(),
  /** PEM. */
  certificate: z.string(),
  /** Base64; RSA-PSS/SHA-256 over `flare-ts/1 job` and the manifest's bytes. */
  signature: z.string(),
});

/** What a submitter signs. Paths are checked by `jobPathProblem` and `jobPathClash`. */
export const jobManifestSchema = z.strictObject({
  project: z.string().min(1).max(256),
  job_id: jobIdSchema,
  /** @default the study of everybody */
  study: studyNameSchema.optional(),
  job_folder_name: z.string().min(1).max(255),
  created_at_ms: z.int().min(0),
  files: z
    .array(z.strictObject({ path: z.string(), size: z.int().min(0).max(limits.jobFileBytes), sha256: contentHashSchema }))
    .max(limits.jobFiles),
});

export type SignedJobDocument = z.input<typeof signedJobSchema>;
export type JobManifestDocument = z.input<typeof jobManifestSchema>;
