import { z } from "zod";
import { timeMsSchema } from "./schemas.js";

/** Most bytes of a request for a certificate; real ones have a few thousand. */
export const maxRequestBytes = 256 * 1024;

/** A certificate request that was uploaded and is not answered yet. */
export const certificateRequestSchema = z.object({
  requestId: z.string(),
  /** SHA-256 of the public key, as `flare cert request` showed it where the key was made. */
  publicKeySha256: z.string(),
  uploadedAtMs: timeMsSchema,
  uploadedBy: z.string(),
  /** What it waits for: that the site or person is approved, the project frozen, or the CA unlocked. */
  waitsFor: z.enum(["decision", "freeze", "unlock", "nothing"]),
  /** Why it could not be answered, where that was tried. */
  problem: z.string().nullable(),
});

/** A certificate request that was uploaded and is not answered yet. */
export type CertificateRequest = z.infer<typeof certificateRequestSchema>;
