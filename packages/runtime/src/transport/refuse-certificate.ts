import { FlareError } from "@flare-ts/contracts";
import type { ProjectTrust } from "@flare-ts/provision/kit";
import { verifyParticipant } from "../session/verify-certificate.js";

export interface RefuseCertificateInit {
  readonly trust: ProjectTrust;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** How long ago the certificate may have ended. @default 0 */
  readonly allowExpiredMs?: number | undefined;
  /** Roles that are let in. @default all that open sessions */
  readonly roles?: readonly string[];
}

/** Why a participant's chain (PEM) is not let in; `undefined` when it is. */
export function refusalOfCertificate(
  chainPem: string,
  { trust, nowMs, allowExpiredMs = 0, roles }: RefuseCertificateInit,
): string | undefined {
  try {
    const { name, role } = verifyParticipant({ chainPem, trust, nowMs, allowExpiredMs });
    return roles === undefined || roles.includes(role) ? undefined : `${JSON.stringify(name)} has the role ${JSON.stringify(role)}`;
  } catch (error) {
    return FlareError.from(error).message;
  }
}
