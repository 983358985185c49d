import { FlareError } from "@flare-ts/contracts";
import { isSignedBy, type ProjectTrust } from "@flare-ts/provision/kit";
import type { Identity } from "./identity.js";
import { capPeerText as cap, quotePeerText as quote } from "./peer-text.js";
import { parseCertificate } from "./project-keys.js";
import type { RegistrationFacts } from "./transcript.js";
import { verifyParticipant } from "./verify-certificate.js";

export interface ProveParticipantInit {
  /** What the challenge was made of. */
  readonly facts: RegistrationFacts;
  /** The certificate that the participant calls its own, with those that stand between it and a root; PEM. */
  readonly chainPem: string;
  readonly signature: Uint8Array;
  /** What the signature is over, for the SHA-256 of that certificate. */
  readonly transcriptOf: (facts: RegistrationFacts, fingerprint: string) => Uint8Array;
  readonly trust: ProjectTrust;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** How long ago the certificate may have ended, for a renewal. @default 0 */
  readonly allowExpiredMs?: number;
}

/**
 * Proves that whoever answers a challenge owns the key of a good certificate of the name that it claimed.
 *
 * @throws FlareError as `verifyParticipant`, `auth/renewal-too-late`, `auth/name-mismatch`, `auth/bad-signature`
 */
export function proveParticipant(init: ProveParticipantInit): Identity {
  const { facts, chainPem, signature, transcriptOf } = init;
  const certificate = parseCertificate(chainPem, "certificate of the registration");
  const identity = verify(init);
  const { name, fingerprint } = identity;
  if (name !== facts.identity) {
    const message = `The peer claims to be ${quote(facts.identity)}, its certificate is that of ${quote(name)}.`;
    throw new FlareError("auth/name-mismatch", message, { facts: { claimed: cap(facts.identity), certificate: cap(name) } });
  }
  if (!isSignedBy(transcriptOf(facts, fingerprint), signature, certificate.publicKey)) {
    throw new FlareError("auth/bad-signature", `The registration of ${quote(name)} is not signed by its certificate's key.`, {
      facts: { name: cap(name), fingerprint },
    });
  }
  return identity;
}

function verify({ chainPem, trust, nowMs, allowExpiredMs = 0 }: ProveParticipantInit): Identity {
  try {
    return verifyParticipant({ chainPem, trust, nowMs, allowExpiredMs });
  } catch (reason) {
    const error = FlareError.from(reason);
    if (allowExpiredMs === 0 || error.code !== "auth/certificate-expired") throw error;
    throw new FlareError("auth/renewal-too-late", `${error.message} It may be renewed for ${allowExpiredMs / 1000} s after that.`, {
      facts: { ...error.facts, graceMs: allowExpiredMs },
    });
  }
}
