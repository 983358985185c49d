import { z } from "zod";
import { connectionSecuritySchema } from "../project/connection-schemas.js";
import { schemeSchema } from "./fed-server-schema.js";

/** `local/comm_config.json`: how a process lets others in behind it, and how far up it connects by itself. */
export const commConfigSchema = z.strictObject({
  allow_adhoc_conns: z.boolean(),
  /** 2: connects to the server; 1: is attached through a relay. */
  backbone_conn_gen: z.int().min(1).max(2),
  internal: z.strictObject({
    scheme: schemeSchema,
    resources: z.strictObject({
      host: z.string().min(1),
      /** Left out when any free port will do. */
      port: z.int().min(1).max(65_535).optional(),
      connection_security: connectionSecuritySchema,
    }),
  }),
});

/** `local/comm_config.json`. */
export type CommConfig = z.infer<typeof commConfigSchema>;
