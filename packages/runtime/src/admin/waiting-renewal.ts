/** A request for a certificate that waits at the server until somebody with the project's key has signed it. */
export interface WaitingRenewal {
  /** Names the request. */
  readonly id: string;
  /** A participant's certificate, or that with which the server issues. */
  readonly kind: "participant" | "issuer";
  /** Common name of the participant; the server's, for its issuing certificate. */
  readonly name: string;
  readonly org: string;
  readonly role: string;
  /** PKCS #10, PEM. */
  readonly csrPem: string;
  /** The certificate that it follows, with its chain; PEM. */
  readonly certificatePem: string;
  /** Milliseconds since the epoch. */
  readonly requestedAtMs: number;
}
