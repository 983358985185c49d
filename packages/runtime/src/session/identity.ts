/** Kinds of participants that open sessions. */
export type ParticipantKind = "client" | "admin" | "relay";

/** A participant whose certificate and key were proven in this session. */
export interface Identity {
  /** Common name of the certificate. */
  readonly name: string;
  readonly org: string;
  /** `client` for a site, `relay`; a FLARE role for an admin. */
  readonly role: string;
  readonly kind: ParticipantKind;
  /** SHA-256 of the certificate, lower-case hexadecimal. */
  readonly fingerprint: string;
  /** SHA-256 of the certificates that this session was registered with before, as a renewal replaces one. */
  readonly formerFingerprints?: readonly string[];
  /** The certificate as it was registered, with those that stand between it and a root; PEM. */
  readonly chainPem: string;
}
