import { z } from "zod";
import { connectionSecuritySchema } from "../project/connection-schemas.js";
import { schemeSchema, startupFileSchema, targetSchema } from "./fed-server-schema.js";

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
    fqsn: z.string(),
    is_leaf: z.boolean(),
    connection_security: connectionSecuritySchema,
  }),
});

/** `startup/fed_client.json`. */
export type FedClient = z.infer<typeof fedClientSchema>;
