import type { X509Certificate } from "node:crypto";
import { type Kit, type ProjectTrust, type TrustedChain, verifyKit } from "@flare-ts/provision/kit";
import type { IdentityFolder, StoredIdentity } from "./identity-folder.js";

export interface OpenIdentityInit {
  readonly kit: Kit;
  readonly trust: ProjectTrust;
  readonly folder: IdentityFolder;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Hears of a renewed identity that is there and cannot be used. */
  readonly warn: (message: string, fields: { readonly reason: string; readonly folder?: string }) => void;
}

/**
 * Chooses who a participant is: the newest certificate that is good now, of its kit or of a renewal; when none is good any more,
 * the one that ended last, if it may still be renewed.
 *
 * @throws FlareError `kit/expired`, `kit/not-yet-valid`, `kit/revoked`, `kit/untrusted-certificate` when there is none: what is wrong with the kit's
 */
export async function openIdentity({ kit, trust, folder, nowMs, warn }: OpenIdentityInit): Promise<StoredIdentity> {
  const allowExpiredMs = graceOf(kit);
  const { identities, damaged } = await folder.read();
  for (const found of damaged) warn("renewed certificate is damaged", found);
  const good: Good[] = [];
  for (const identity of identities) {
    const verdict = trust.verify(identity.certificatePem, { nowMs, allowExpiredMs });
    const reason = verdict.ok ? strangerTo(kit, verdict) : verdict.message;
    if (verdict.ok && reason === undefined) good.push({ identity, certificate: verdict.certificate });
    else warn("renewed certificate is not used", { reason: reason ?? "" });
  }
  const ofKit = { certificatePem: kit.certificatePem, privateKeyPem: kit.privateKeyPem };
  const verdict = trust.verify(kit.certificatePem, { nowMs, allowExpiredMs });
  if (verdict.ok) good.push({ identity: ofKit, certificate: verdict.certificate });
  const inDates = good.filter(({ certificate }) => nowMs <= endOf(certificate));
  const newest = inDates.sort((a, b) => beginningOf(b.certificate) - beginningOf(a.certificate))[0];
  const chosen = newest ?? good.sort((a, b) => endOf(b.certificate) - endOf(a.certificate))[0];
  if (chosen !== undefined) return chosen.identity;
  await verifyKit(kit, { trust, now: new Date(nowMs) });
  throw new TypeError("a good certificate was not chosen");
}

/** For so long after its end the kit's certificate may be renewed; 0 where the project does not renew. */
export function graceOf({ certificates }: Pick<Kit, "certificates">): number {
  return certificates === undefined || certificates.renewal === "none" ? 0 : certificates.renewalGraceMs;
}

interface Good {
  readonly identity: StoredIdentity;
  readonly certificate: X509Certificate;
}

function strangerTo(kit: Kit, { subject: { commonName, org, role } }: TrustedChain): string | undefined {
  if (commonName === kit.name && org === kit.org && role === kit.role) return undefined;
  return `It is that of '${commonName}' (${role} of ${org}), and the kit that of '${kit.name}' (${kit.role} of ${kit.org}).`;
}

function beginningOf({ validFrom }: X509Certificate): number {
  return Date.parse(validFrom);
}

function endOf({ validTo }: X509Certificate): number {
  return Date.parse(validTo);
}
