import { FlareError } from "@flare-ts/contracts";
import { CallVerifier } from "./call-proof.js";
import { deriveCallKey, isKeyShare, type KeyShare, type KeyShares, makeKeyShare } from "./session-secret.js";

/** The server's side of a key agreement between the two steps of a registration. */
export interface KeyAgreement {
  readonly own: KeyShare;
  /** Public key of the participant. */
  readonly theirs: Uint8Array;
}

/**
 * Begins a key agreement with whoever asks for a challenge.
 *
 * @throws FlareError `auth/security-mismatch` when the participant gave no key, as one does that speaks mutual TLS
 */
export function beginAgreement(clientKeyShare: Uint8Array): KeyAgreement {
  if (!isKeyShare(clientKeyShare)) {
    throw new FlareError(
      "auth/security-mismatch",
      "The participant's kit says that TLS ends at the server (mtls), and it ends at a relay, or at a proxy (tls or clear).",
    );
  }
  return { own: makeKeyShare(), theirs: Uint8Array.from(clientKeyShare) };
}

/** What both sides sign of an agreement. */
export function sharesOf({ own, theirs }: KeyAgreement): KeyShares {
  return { client: theirs, server: own.publicKey };
}

/** Ends an agreement with what verifies the participant's calls; `transcript` is what the participant signed. @throws FlareError `transfer/protocol` */
export function finishAgreement({ own, theirs }: KeyAgreement, transcript: Uint8Array): CallVerifier {
  return new CallVerifier({ key: deriveCallKey(own, theirs, transcript) });
}
