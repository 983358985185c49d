import { z } from "zod";
import { durationSchema } from "../documents/duration-schema.js";
import { renewableTypes, renewalIssuers } from "../kit/kit-certificates-schema.js";
import { keyTypes } from "./key-types.js";

/** Most days of a root certificate: a century; X.509 could say more, no project should. */
export const maxRootValidDays = 36_525;

const rootDaysMessage = `must be a whole number from 1 to ${maxRootValidDays}`;

/** Days that a root certificate is good for. */
export const rootValidDaysSchema = z.int(rootDaysMessage).min(1, rootDaysMessage).max(maxRootValidDays, rootDaysMessage);

/** `certificates` of a project file: how certificates are made and renewed. Durations come to milliseconds. */
export const certificatesSchema = z.strictObject({
  key_type: z.enum(keyTypes, { error: "must be rsa-2048, rsa-3072 or p256" }).optional(),
  root_valid_days: rootValidDaysSchema.optional(),
  leaf_lifetime: durationSchema("5m", "10y").optional(),
  renewal_grace: durationSchema("0d", "10y").optional(),
  renewal: z.enum(renewalIssuers, { error: "must be server, ca_holder or none" }).optional(),
  server_may_renew: z
    .array(z.enum(renewableTypes, { error: `must be one of ${renewableTypes.join(", ")}` }), {
      error: `must be a list of ${renewableTypes.join(", ")}`,
    })
    .optional(),
});
