import { z } from "zod";

/** Names of tensors, or a regular expression that is found in them. */
export const namesOrPatternSchema = z
  .union([z.array(z.string().min(1)).min(1), z.string().min(1)], { error: "must be a list of names, or a regular expression" })
  .transform((written, context): readonly string[] | RegExp => {
    if (typeof written !== "string") return written;
    try {
      return new RegExp(written, "u");
    } catch (error) {
      context.addIssue({ code: "custom", message: `is no regular expression: ${(error as Error).message}` });
      return z.NEVER;
    }
  });
