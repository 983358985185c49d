import { z } from "zod";
import { defineRoute } from "./define-route.js";
import { idSchema, timeMsSchema } from "./schemas.js";

/** One entry of the audit trail: who did what to whom, and whether it was allowed. */
export const auditEntrySchema = z.object({
  id: idSchema,
  atMs: timeMsSchema,
  /** E-mail address at that time, `system`, or `stranger`. */
  actor: z.string(),
  actorId: idSchema.nullable(),
  /** Such as `people.approve`. */
  action: z.string(),
  /** What it was done to: an address, a site's name, a job's id. */
  subject: z.string(),
  outcome: z.enum(["done", "refused"]),
  /** The network address that it came from; empty for `system`. */
  address: z.string(),
  /** What else there is to know; plain values. */
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});

/** One entry of the audit trail. */
export type AuditEntry = z.infer<typeof auditEntrySchema>;

const filters = {
  actor: z.string().max(254).optional(),
  /** An action, or the first part of several: `people` finds `people.approve`. */
  action: z.string().max(100).optional(),
  subject: z.string().max(254).optional(),
  outcome: z.enum(["done", "refused"]).optional(),
  sinceMs: z.coerce.number<number>().int().nonnegative().max(Number.MAX_SAFE_INTEGER).optional(),
  untilMs: z.coerce.number<number>().int().nonnegative().max(Number.MAX_SAFE_INTEGER).optional(),
};

export const listAudit = defineRoute({
  id: "audit.list",
  method: "GET",
  path: "/audit",
  summary: "Lists what was done, the newest first",
  access: ["project_admin"],
  query: z.strictObject({
    ...filters,
    cursor: z.string().max(100).optional(),
    limit: z.coerce.number<number>().int().min(1).max(500).optional(),
  }),
  response: z.object({ entries: z.array(auditEntrySchema), nextCursor: z.string().nullable() }),
});

export const exportAudit = defineRoute({
  id: "audit.export",
  method: "GET",
  path: "/audit/export",
  summary: "Gives all entries that the filter finds, as a table or as JSON lines",
  access: ["project_admin"],
  query: z.strictObject({ ...filters, format: z.enum(["csv", "jsonl"]).optional() }),
  response: { mediaType: "application/octet-stream" },
});

/** Routes of the audit trail. */
export const auditRoutes = [listAudit, exportAudit] as const;
