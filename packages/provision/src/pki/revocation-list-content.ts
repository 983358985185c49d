import type { RevocationReason } from "@flare-ts/contracts";
import type { IssuerName } from "./certificate-content.js";

/** One certificate that counts no more. */
export interface RevokedSerial {
  /** Hexadecimal. */
  readonly serialNumber: string;
  readonly at: Date;
  readonly reason: RevocationReason;
}

/** Everything that stands in a revocation list but the signature. */
export interface RevocationListContent {
  readonly issuer: IssuerName;
  readonly number: number;
  readonly from: Date;
  readonly nextUpdate: Date;
  readonly revoked: readonly RevokedSerial[];
}
