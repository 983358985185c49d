/**
 * Why a certificate is taken back, in the words of the standard; `certificateHold` and `removeFromCRL` are left out, because
 * a revocation here is for good.
 *
 * @see RFC 5280, 5.3.1
 */
export const revocationReasons = [
  "unspecified",
  "keyCompromise",
  "cACompromise",
  "affiliationChanged",
  "superseded",
  "cessationOfOperation",
  "privilegeWithdrawn",
  "aACompromise",
] as const;

/** Why a certificate is taken back. */
export type RevocationReason = (typeof revocationReasons)[number];
