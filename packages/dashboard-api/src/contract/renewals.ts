import { z } from "zod";
import { defineRoute } from "./define-route.js";
import { timeMsSchema } from "./schemas.js";

/** A request for a next certificate that waits at the project's server until somebody signs it with the CA's key. */
export const renewalSchema = z.object({
  id: z.string(),
  /** `issuer`: the certificate with which the server renews others. */
  kind: z.enum(["participant", "issuer"]),
  participant: z.string(),
  organization: z.string(),
  /** Role in the certificate that it follows. */
  role: z.string(),
  /** SHA-256 of the new public key, lower-case hexadecimal: compare it with what the participant sees. */
  publicKeySha256: z.string(),
  /** When the certificate that it follows ends. */
  certificateEndsAtMs: timeMsSchema,
  requestedAtMs: timeMsSchema,
});

/** A request for a next certificate that waits at the project's server. */
export type Renewal = z.infer<typeof renewalSchema>;

const renewals = z.object({ renewals: z.array(renewalSchema) });

export const listRenewals = defineRoute({
  id: "renewals.list",
  method: "GET",
  path: "/renewals",
  summary: "Lists requests for next certificates that wait at the project's server for the holder of the CA",
  access: ["project_admin"],
  response: renewals,
});

export const approveRenewal = defineRoute({
  id: "renewals.approve",
  method: "POST",
  path: "/renewals/:id/approve",
  summary: "Signs a request for a next certificate, whose participant has it at once; the CA has to be unlocked",
  access: ["project_admin"],
  params: z.strictObject({ id: z.string().regex(/^[\w-]{1,64}$/, "must be the id of a request") }),
  /** What was compared: a request with another key in its place is not signed. */
  body: z.strictObject({ publicKeySha256: z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256, lower-case hexadecimal") }),
  response: renewals,
});

/** Routes of renewals that the holder of the CA answers. */
export const renewalRoutes = [listRenewals, approveRenewal] as const;
