import { z } from "zod";

/** `signature.json`: name of a file or folder to its signature, RSA-PSS with SHA-256, base64. */
export const signaturesSchema = z.record(
  z.string().regex(/^[^/\\]+$/, "must be a name in the same folder"),
  z.base64("must be a signature in base64"),
);
