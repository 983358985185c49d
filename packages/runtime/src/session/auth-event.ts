import type { ErrorCode } from "@flare-ts/contracts";

/** One line of the audit log: somebody opened a session, was refused, or a session ended. */
export type AuthEvent =
  | {
      readonly kind: "registered" | "renewed";
      readonly name: string;
      readonly sessionId: string;
      readonly address: string;
      readonly fingerprint: string;
    }
  | {
      readonly kind: "refused";
      /** What was asked for: a step of the registration, a call, or the TLS handshake. */
      readonly step: "tls" | "challenge" | "register" | "call";
      readonly code: ErrorCode;
      readonly reason: string;
      readonly address: string;
      /** The name that the peer claims; not proven. */
      readonly claimedName?: string;
    }
  | { readonly kind: "ended"; readonly name: string; readonly sessionId: string; readonly address: string; readonly reason: string };

/** Takes audit events; must not throw. */
export type Audit = (event: AuthEvent) => void;
