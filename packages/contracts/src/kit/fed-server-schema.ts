import { z } from "zod";
import { connectionSecuritySchema } from "../project/connection-schemas.js";
import { authIdentityMapSchema, authIdentitySchema } from "./auth-identity-schema.js";
import { kitCertificatesSchema } from "./kit-certificates-schema.js";

/** Where a server listens or where others reach it, `<host>:<port>`; an IPv6 address stands in square brackets. */
export const targetSchema = z.string().regex(/^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, "must be <host>:<port>");

/** Transports that a kit may name; FLARE's `http` means WebSocket. */
export const schemeSchema = z.enum(["grpc", "tcp", "http"], { error: "must be grpc, tcp or http" });

/** Name of a file that stands in the kit's startup folder. */
export const startupFileSchema = z.string().regex(/^[A-Za-z0-9._-]+$/, "must be the name of a file in startup");

/** `startup/fed_server.json`. */
export const fedServerSchema = z.strictObject({
  format_version: z.literal(2),
  require_signed_jobs: z.literal(true).optional(),
  servers: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        service: z.strictObject({ target: targetSchema, scheme: schemeSchema }),
        admin_server: z.string(),
        admin_port: z.int().min(1).max(65_535),
        ssl_private_key: startupFileSchema,
        ssl_cert: startupFileSchema,
        ssl_root_cert: startupFileSchema,
        connection_security: connectionSecuritySchema,
        auth_identity: authIdentitySchema.optional(),
        auth_identity_map: authIdentityMapSchema.optional(),
      }),
    )
    .length(1, "must name exactly one server"),
  certificates: kitCertificatesSchema.optional(),
});

/** `startup/fed_server.json`. */
export type FedServer = z.infer<typeof fedServerSchema>;
