import type { Issuer } from "./certificate.js";
import { splitPem, toPem } from "./pem.js";
import { readIssuerName } from "./read-issuer-name.js";
import type { RevokedSerial } from "./revocation-list-content.js";

export interface RevocationListInit {
  readonly issuer: Issuer;
  /** Higher in every further list of the issuer. */
  readonly number: number;
  readonly from: Date;
  /** When a further list is to be there; other tools refuse the list from then on. */
  readonly nextUpdate: Date;
  readonly revoked: readonly RevokedSerial[];
}

/**
 * Makes a list of the certificates that an issuer takes back; PEM, label `X509 CRL`.
 *
 * @see RFC 5280, section 5
 */
export async function issueRevocationList({ issuer, ...content }: RevocationListInit): Promise<string> {
  const [own = ""] = splitPem("CERTIFICATE", issuer.certificatePem);
  const { writeRevocationListWithPeculiar } = await import("./write-with-peculiar.js");
  return toPem("X509 CRL", await writeRevocationListWithPeculiar({ ...content, issuer: readIssuerName(own) }, issuer.privateKey));
}
