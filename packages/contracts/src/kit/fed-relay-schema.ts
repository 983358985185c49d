import { z } from "zod";
import { connectionSecuritySchema } from "../project/connection-schemas.js";
import { authIdentityMapSchema, authIdentitySchema } from "./auth-identity-schema.js";
import { schemeSchema, targetSchema } from "./fed-server-schema.js";
import { kitCertificatesSchema } from "./kit-certificates-schema.js";

/** Where a relay, or a site behind one, dials. */
const upstreamShape = {
  scheme: schemeSchema,
  identity: z.string().min(1),
  auth_identity: authIdentitySchema.optional(),
  address: targetSchema,
  fqcn: z.string().min(1),
  connection_security: connectionSecuritySchema,
};

/** `startup/fed_relay.json`. */
export const fedRelaySchema = z.strictObject({
  format_version: z.literal(2),
  project_name: z.string().min(1),
  identity: z.string().min(1),
  auth_identity: authIdentitySchema.optional(),
  auth_identity_map: authIdentityMapSchema.optional(),
  server_identity: z.string().min(1),
  connect_to: z.strictObject(upstreamShape),
  certificates: kitCertificatesSchema.optional(),
});

/** `startup/fed_relay.json`. */
export type FedRelay = z.infer<typeof fedRelaySchema>;

/** `local/relay__resources.json`: the relay that a site dials in the server's place. */
export const relayResourcesSchema = z.strictObject({ format_version: z.literal(2), relay_config: z.strictObject(upstreamShape) });

/** `local/relay__resources.json`. */
export type RelayResources = z.infer<typeof relayResourcesSchema>;
