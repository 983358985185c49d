import { z } from "zod";
import { connectionSecuritySchema } from "../project/connection-schemas.js";
import { authIdentityMapSchema, authIdentitySchema } from "./auth-identity-schema.js";
import { schemeSchema, startupFileSchema, targetSchema } from "./fed-server-schema.js";
import { kitCertificatesSchema } from "./kit-certificates-schema.js";

/** `startup/fed_client.json`. */
export const fedClientSchema = z.strictObject({
  format_version: z.literal(2),
  servers: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        service: z.strictObject({ target: targetSchema, scheme: schemeSchema }),
        identity: z.string().min(1),
      }),
    )
    .length(1, "must name exactly one server"),
  client: z.strictObject({
    ssl_private_key: startupFileSchema,
    ssl_cert: startupFileSchema,
    ssl_root_cert: startupFileSchema,
    /** Names of the sites above it and its own, with dots between. */
    fqsn: z.string().min(1),
    is_leaf: z.boolean(),
    connection_security: connectionSecuritySchema,
    auth_identity: authIdentitySchema.optional(),
    auth_identity_map: authIdentityMapSchema.optional(),
  }),
  certificates: kitCertificatesSchema.optional(),
});

/** `startup/fed_client.json`. */
export type FedClient = z.infer<typeof fedClientSchema>;
