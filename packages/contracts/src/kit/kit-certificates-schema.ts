import { z } from "zod";

/** Who renews the certificates of a project: its server, whoever holds the CA key, or nobody. */
export const renewalIssuers = ["server", "ca_holder", "none"] as const;

/** Who renews the certificates of a project. */
export type RenewalIssuer = (typeof renewalIssuers)[number];

/** Kinds of participants whose certificates a server can be allowed to renew; `admin` stands for every admin role. */
export const renewableTypes = ["client", "server", "relay", "admin"] as const;

/** A kind of participant whose certificates a server can be allowed to renew. */
export type RenewableType = (typeof renewableTypes)[number];

/** `certificates` in each `startup/fed_*.json`: how the project's certificates are renewed. */
export const kitCertificatesSchema = z.strictObject({
  renewal: z.enum(renewalIssuers, { error: `must be one of ${renewalIssuers.join(", ")}` }),
  leaf_lifetime_ms: z.int().min(1),
  /** For so long after its end a certificate is still good for one thing: to ask for the next. */
  renewal_grace_ms: z.int().min(0),
  server_may_renew: z.array(z.enum(renewableTypes)),
});

/** `certificates` in each `startup/fed_*.json`. */
export type KitCertificatesDocument = z.infer<typeof kitCertificatesSchema>;
