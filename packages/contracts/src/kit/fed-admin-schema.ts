import { z } from "zod";
import { connectionSecuritySchema } from "../project/connection-schemas.js";
import { schemeSchema, startupFileSchema } from "./fed-server-schema.js";
import { kitCertificatesSchema } from "./kit-certificates-schema.js";

/** `startup/fed_admin.json`. */
export const fedAdminSchema = z.strictObject({
  format_version: z.literal(1),
  admin: z.strictObject({
    project_name: z.string().min(1),
    username: z.string().min(1),
    server_identity: z.string().min(1),
    scheme: schemeSchema,
    host: z.string().min(1),
    port: z.int().min(1).max(65_535),
    connection_security: connectionSecuritySchema,
    uid_source: z.enum(["user_input", "cert"]),
    with_file_transfer: z.boolean(),
    upload_dir: z.string(),
    download_dir: z.string(),
    client_key: startupFileSchema,
    client_cert: startupFileSchema,
    ca_cert: startupFileSchema,
  }),
  certificates: kitCertificatesSchema.optional(),
});

/** `startup/fed_admin.json`. */
export type FedAdmin = z.infer<typeof fedAdminSchema>;
