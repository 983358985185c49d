import { FlareError } from "@flare-ts/contracts";
import { isSignedBy, type ProjectTrust } from "@flare-ts/provision/kit";
import type { Identity } from "./identity.js";
import { capPeerText as cap, quotePeerText as quote } from "./peer-text.js";
import { parseCertificate } from "./project-keys.js";
import type { RegistrationFacts } from "./transcript.js";
import { verifyParticipant } from "./verify-certificate.js";

/** What a participant shows to prove who it is. */
export interface ParticipantClaim {
  /** Certificate with its chain; PEM. */
  readonly chainPem: string;
  readonly signature: Uint8Array;
  /** What was to be signed, for the fingerprint of the certificate. */
  readonly transcriptOf: (facts: RegistrationFacts, fingerprint: string) => Uint8Array;
}

export interface ProveParticipantInit {
  readonly facts: RegistrationFacts;
  readonly trust: ProjectTrust;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** How long the certificate may be past its end. */
  readonly allowExpiredMs: number;
}

/**
 * Who a participant is: the project vouches for its certificate, it carries the claimed name, and its key signed.
 *
 * @throws FlareError `auth/certificate-…`, `auth/wrong-project`, `auth/renewal-too-late`, `auth/name-mismatch`, `auth/bad-signature`
 */
export function proveParticipant({ chainPem, signature, transcriptOf }: ParticipantClaim, init: ProveParticipantInit): Identity {
  const { facts } = init;
  const certificate = parseCertificate(chainPem, "certificate of the registration");
  const identity = verifyDates(chainPem, init);
  if (identity.name !== facts.identity) {
    throw new FlareError(
      "auth/name-mismatch",
      `The peer claims to be ${quote(facts.identity)}, its certificate is that of ${quote(identity.name)}.`,
      {
        facts: { claimed: cap(facts.identity), certificate: cap(identity.name) },
      },
    );
  }
  if (!isSignedBy(transcriptOf(facts, identity.fingerprint), signature, certificate.publicKey)) {
    throw new FlareError("auth/bad-signature", `The registration of ${quote(identity.name)} is not signed by its certificate's key.`, {
      facts: { name: cap(identity.name), fingerprint: identity.fingerprint },
    });
  }
  return identity;
}

function verifyDates(chainPem: string, { trust, nowMs, allowExpiredMs }: ProveParticipantInit): Identity {
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
