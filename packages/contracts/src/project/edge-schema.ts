import { z } from "zod";
import { switchSchema } from "../documents/switch-schema.js";

function between(least: number, most: number) {
  const message = `must be a whole number from ${least} to ${most}`;
  return z.int(message).min(least, message).max(most, message);
}

/** `edge` of a project file: a tree of relays and sites that is made, not written. */
export const edgeSchema = z.looseObject({
  analyze: switchSchema.nullish(),
  lcp_only: switchSchema.nullish(),
  root_dir: z.unknown().optional(),
  depth: between(1, 5),
  width: between(2, 9),
  clients: between(2, 9),
  max_sites: between(1, 10_000).nullish(),
  rp: z.unknown().optional(),
});

/** `edge` of a project file. */
export type EdgeDocument = z.infer<typeof edgeSchema>;
