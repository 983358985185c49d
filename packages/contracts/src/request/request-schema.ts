import { z } from "zod";
import { contentHashSchema, hostNameSchema, projectNameSchema, simpleNameSchema } from "../ids/names.js";
import { kitCertificatesSchema } from "../kit/kit-certificates-schema.js";
import { connectionSecuritySchema, portSchema } from "../project/connection-schemas.js";
import { requestRoles } from "./participant-file-schema.js";

/** A UUID, or the same 32 digits without dashes. */
const requestIdSchema = z
  .string()
  .regex(/^(?:[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i, "must be a UUID")
  .transform((id) => id.toLowerCase());
const momentSchema = z.iso.datetime({ offset: true, error: "must be a moment in ISO 8601" });
const projectSchema = projectNameSchema.max(63, "may hold 63 characters at most");
/** Every name that a participant can have, and none that leads out of a folder. */
const nameSchema = z.string().regex(/^[A-Za-z0-9_%+-][A-Za-z0-9._%+@-]{0,63}$/, "must be the name of a participant");

/** Kinds of certificates that can be asked for. */
const certificateTypes = ["client", "server", ...requestRoles] as const;

/** What a request and its approval say of who asks. */
const identity = {
  schema_version: z.literal("1"),
  request_id: requestIdSchema,
  project: projectSchema,
  name: nameSchema,
  org: simpleNameSchema,
  kind: z.enum(["site", "server", "user"]),
  cert_type: z.enum(certificateTypes),
  cert_role: z.preprocess((role) => (role === "org-admin" ? "org_admin" : role), z.enum(requestRoles).nullable().default(null)),
};

/** `request.json` of a request for a certificate. Keys that other versions add are passed over. */
export const certificateRequestSchema = z.object({
  ...identity,
  artifact_type: z.literal("nvflare.cert.request"),
  created_at: momentSchema,
  csr_sha256: contentHashSchema,
  public_key_sha256: contentHashSchema,
  site_yaml_sha256: contentHashSchema,
});

/** SHA-256 of a certificate as FLARE writes it: `SHA256:AA:BB:…`. */
const fingerprintSchema = z.string().regex(/^SHA256:[0-9A-F]{2}(?::[0-9A-F]{2}){31}$/, "must be a SHA-256 as SHA256:AA:BB:…");
const provisionVersionSchema = z.string().regex(/^\d{2,6}$/, "must be a number of two digits or more");

/** `signed.json` of an approval. Keys that other versions add are passed over. */
export const signedApprovalSchema = z.object({
  ...identity,
  artifact_type: z.literal("nvflare.cert.signed"),
  approved_at: momentSchema,
  ca_info: z.object({ provision_version: provisionVersionSchema, rootCA_fingerprint: fingerprintSchema }),
  scheme: z.enum(["grpc", "http", "tcp"]),
  default_connection_security: connectionSecuritySchema,
  server: z.object({
    host: hostNameSchema,
    /** Name of the server participant; absent where it is the host. */
    name: hostNameSchema.optional(),
    fed_learn_port: portSchema,
    admin_port: portSchema,
  }),
  /** How certificates are renewed; FLARE has no such thing. */
  certificates: kitCertificatesSchema.optional(),
  certificate: z.object({ serial: z.string().regex(/^[0-9a-f]{1,40}$/), valid_until: momentSchema }),
  cert_file: z.string().max(255),
  rootca_file: z.literal("rootCA.pem"),
  hashes: z.object({
    csr_sha256: contentHashSchema,
    site_yaml_sha256: contentHashSchema,
    certificate_sha256: contentHashSchema,
    rootca_sha256: contentHashSchema,
    public_key_sha256: contentHashSchema,
  }),
});

/** `ca.json` beside a root certificate. */
export const authorityFileSchema = z.object({
  project: projectSchema,
  created_at: momentSchema,
  provision_version: provisionVersionSchema,
  rootCA_fingerprint: fingerprintSchema,
  project_profile: z.record(z.string(), z.unknown()).nullish(),
});

/** `request.json`. */
export type CertificateRequestDocument = z.output<typeof certificateRequestSchema>;
/** `signed.json`. */
export type SignedApprovalDocument = z.output<typeof signedApprovalSchema>;
/** `ca.json`. */
export type AuthorityFileDocument = z.output<typeof authorityFileSchema>;
