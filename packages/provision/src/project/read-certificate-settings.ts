import type { ProjectDocument } from "@flare-ts/contracts";
import type { Findings } from "./findings.js";
import type { CertificateSettings } from "./project.js";

const dayMs = 24 * 60 * 60_000;
/** A root lasts as long as projects do; FLARE's 360 days end with every kit at once. */
const defaultRootValidDays = 3650;
const defaultMayRenew = ["client", "server", "relay"] as const;

/** Fills in how certificates are made and renewed; the root's days may stand at FLARE's CertBuilder as well. */
export function readCertificateSettings(
  { certificates }: ProjectDocument,
  builderDays: number | undefined,
  findings: Findings,
): CertificateSettings {
  const written = certificates ?? undefined;
  const ownDays = written?.root_valid_days;
  if (ownDays !== undefined && builderDays !== undefined && ownDays !== builderDays) {
    findings.mistake(["certificates", "root_valid_days"], `root_valid_days is ${ownDays} here and ${builderDays} at CertBuilder`);
  }
  const days = ownDays ?? builderDays;
  const mayRenew = [...new Set(written?.server_may_renew ?? defaultMayRenew)];
  if (mayRenew.includes("admin")) {
    findings.warning(
      ["certificates", "server_may_renew"],
      "server_may_renew with admin lets whoever breaks into the server make itself an admin",
    );
  }
  return Object.freeze({
    keyType: written?.key_type ?? "rsa-2048",
    rootValidDays: days ?? defaultRootValidDays,
    isRootValidDaysGiven: days !== undefined,
    leafLifetimeMs: written?.leaf_lifetime ?? 90 * dayMs,
    renewalGraceMs: written?.renewal_grace ?? 30 * dayMs,
    renewalIssuer: written?.renewal ?? "server",
    serverMayRenew: Object.freeze(mayRenew),
  });
}
