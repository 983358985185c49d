import type { KitCertificatesDocument, ProjectProfile } from "@flare-ts/contracts";

const dayMs = 24 * 60 * 60_000;

/** How certificates of a profile's project live and are renewed: for 90 days, by whoever holds the authority's key. */
export function renewalSettings({ certificates }: ProjectProfile): KitCertificatesDocument {
  return {
    renewal: certificates?.renewal ?? "ca_holder",
    leaf_lifetime_ms: certificates?.leaf_lifetime ?? 90 * dayMs,
    renewal_grace_ms: certificates?.renewal_grace ?? 30 * dayMs,
    server_may_renew: [],
  };
}
