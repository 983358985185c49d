import type { KitCertificatesDocument } from "@flare-ts/contracts";
import type { Project } from "../project/project.js";

/** `certificates` of a kit's `fed_*.json`: how the project's certificates are renewed. */
export function certificateSettings({ certificates }: Project): KitCertificatesDocument {
  const { renewalIssuer, leafLifetimeMs, renewalGraceMs, serverMayRenew } = certificates;
  return {
    renewal: renewalIssuer,
    leaf_lifetime_ms: leafLifetimeMs,
    renewal_grace_ms: renewalGraceMs,
    server_may_renew: [...serverMayRenew],
  };
}
