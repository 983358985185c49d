import type { KeyObject } from "node:crypto";
import type { CertificateSubject } from "./subject.js";

/** When a certificate is good. */
export interface Validity {
  readonly from: Date;
  readonly to: Date;
}

/** Who signs, as the certificate names it. */
export interface IssuerName {
  /** The subject of the issuer's certificate, DER, byte by byte. */
  readonly nameDer: Buffer;
  /** Identifier of its key. */
  readonly keyIdentifier: Buffer;
}

/** Everything that stands in a certificate but the signature, whichever library writes it down. */
export interface CertificateContent {
  readonly subject: CertificateSubject;
  readonly publicKey: KeyObject;
  /** Hexadecimal. */
  readonly serialNumber: string;
  readonly validity: Validity;
  /** `undefined` in a certificate that signs itself. */
  readonly issuer: IssuerName | undefined;
  readonly kind: AuthorityKind | LeafKind;
}

/** May sign certificates and revocation lists. */
export interface AuthorityKind {
  readonly isAuthority: true;
  /** How many authorities may stand below it; `undefined` for any number. */
  readonly pathLength?: number;
}

/** Speaks for a participant. */
export interface LeafKind {
  readonly isAuthority: false;
  readonly isServer: boolean;
  readonly isClient: boolean;
  /** DNS names and IP addresses. */
  readonly hosts: readonly string[];
}

/**
 * Whether a participant's key may encrypt keys: RSA only.
 *
 * @see RFC 5480, section 3: a key on a curve signs, and agrees on keys.
 */
export function enciphersKeys({ publicKey }: CertificateContent): boolean {
  return publicKey.asymmetricKeyType === "rsa";
}
