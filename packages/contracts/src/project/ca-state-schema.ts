import { z } from "zod";
import { trustListDocumentSchema } from "../kit/trust-list-schema.js";
import { keyTypes } from "./key-types.js";
import { certificatePemSchema, storedKeySchema } from "./provision-state-schema.js";

const identity = z.strictObject({ cert: certificatePemSchema, pri_key: storedKeySchema });
/** The key of a root can be elsewhere. */
const authority = z.strictObject({ cert: certificatePemSchema, pri_key: storedKeySchema.optional() });
const moment = z.int().min(0);

/** `state/ca.json`: what the holder of a project's CA knows beyond FLARE's `cert.json`. */
export const caStateSchema = z.strictObject({
  format_version: z.literal(1),
  /** What the project file said last. */
  settings: z.strictObject({ key_type: z.enum(keyTypes), leaf_lifetime_ms: z.int().min(1) }).optional(),
  /** The root in force; `cert.json` repeats it. */
  root: authority.optional(),
  /** The project's own authority below a root whose key is elsewhere: its certificate first, then those between it and the root. */
  authority: identity.optional(),
  /** A key for which an authority elsewhere is asked for a certificate. */
  requested_key: storedKeySchema.optional(),
  /** Trusted beside the root in force while one takes over from the other. */
  former_roots: z.array(authority),
  /** Trusted no more; their keys still sign trust lists, for participants that missed the change. */
  retired_roots: z.array(authority),
  /** With which the project's server renews certificates. */
  server_issuer: identity.optional(),
  /** Certificates that have not ended, whoever holds them. */
  issued: z.array(z.strictObject({ name: z.string(), serial: z.string().regex(/^[0-9a-f]+$/), not_after_ms: moment })),
  revoked: trustListDocumentSchema.shape.revoked,
  /** The trust list in force, as it is in `trust.json`. */
  trust_list: z.strictObject({ number: z.int().min(1), text: z.string() }).optional(),
});

/** `state/ca.json`. */
export type CaState = z.infer<typeof caStateSchema>;
