import { X509Certificate } from "node:crypto";
import type { Revocation } from "@flare-ts/contracts";
import { splitPem } from "../pki/pem.js";
import type { ProjectState } from "../state/project-state.js";
import { trustedRoots } from "./trusted-roots.js";

/**
 * The revocations that still keep somebody out: those of certificates that have all ended are left out of what is published, or a list
 * would grow for ever. The workspace itself forgets none, because whoever was revoked comes back with a new key only.
 */
export function standingRevocations(state: ProjectState, now: Date): readonly Revocation[] {
  const liveSerials = new Set(state.issued.filter(({ notAfterMs }) => notAfterMs > now.getTime()).map(({ serial }) => serial));
  const own = [...state.participants.values()].map(({ certificatePem }) => readFirst(certificatePem));
  for (const { serialNumber, validToDate } of own) if (validToDate > now) liveSerials.add(serialNumber.toLowerCase());
  const renewalMs = longestRenewalMs(state, own);
  const rootsBeginMs = Math.min(...trustedRoots(state).map((pem) => new X509Certificate(pem).validFromDate.getTime()));
  return state.revoked.filter(({ serials, revoked_at_ms }) => {
    // Nobody trusts a root any more that anything could come from that began before this.
    if (revoked_at_ms < rootsBeginMs) return false;
    // Of a name that the workspace gave nothing to it cannot know when its certificates end.
    if (serials.length === 0 || serials.some((serial) => liveSerials.has(serial.toLowerCase()))) return true;
    return revoked_at_ms + renewalMs > now.getTime();
  });
}

/**
 * How long a certificate may last that the server renewed and the workspace never saw. The server goes by the life that its kit says,
 * which is one that the workspace has issued with; twice the longest, because it may have forgotten a longer one.
 */
function longestRenewalMs({ settings }: ProjectState, own: readonly X509Certificate[]): number {
  const lives = own.map(({ validFromDate, validToDate }) => validToDate.getTime() - validFromDate.getTime());
  return 2 * Math.max(settings?.leafLifetimeMs ?? Number.POSITIVE_INFINITY, ...lives);
}

function readFirst(chainPem: string): X509Certificate {
  const [first = chainPem] = splitPem("CERTIFICATE", chainPem);
  return new X509Certificate(first);
}
