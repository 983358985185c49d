import type { ErrorCode } from "@flare-ts/contracts";

/** One line of the audit log: somebody opened a session, was refused, or a session ended. */
export type AuthEvent = WhereFrom &
  (
    | {
        readonly kind: "registered" | "renewed";
        readonly name: string;
        readonly sessionId: string;
        readonly fingerprint: string;
      }
    | {
        readonly kind: "refused";
        /** What was asked for: a step of the registration, a renewal, a call, or the TLS handshake. */
        readonly step: "tls" | "challenge" | "register" | "renew" | "call";
        readonly code: ErrorCode;
        readonly reason: string;
        /** The name that the peer claims; not proven. */
        readonly claimedName?: string;
      }
    | { readonly kind: "ended"; readonly name: string; readonly sessionId: string; readonly reason: string }
  );

/** Where a peer is. */
export interface WhereFrom {
  /** Address of the connection: the peer's, or that of the proxy in between. */
  readonly address: string;
  /** The relay that the connection is of. */
  readonly relay?: string;
  /** What the proxy says; not proven. */
  readonly claimedAddress?: string;
}

/** Takes audit events; must not throw. */
export type Audit = (event: AuthEvent) => void;
