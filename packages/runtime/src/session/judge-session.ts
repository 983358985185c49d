import type { ProjectTrust } from "@flare-ts/provision/kit";
import type { PeerConnection } from "./connection-binding.js";
import type { Identity } from "./identity.js";
import type { Session } from "./session-book.js";

/** A session that has to go. */
export interface UntrustedSession {
  readonly session: Session;
  /** Whether it is for the sake of the relay that it comes by; nothing is wrong with its participant then. */
  readonly isForRelay: boolean;
  readonly reason: string;
}

export interface JudgeInit {
  readonly trust: ProjectTrust;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Whether the owner of a certificate may (still) take part. */
  readonly isAllowed: (certificate: Pick<Identity, "name" | "fingerprint">) => boolean;
}

/** Why what stands under a certificate (a chain, PEM) must end: it is not trusted any more. Dates alone end nothing. */
export function distrustOf(chainPem: string, { trust, nowMs }: Pick<JudgeInit, "trust" | "nowMs">): string | undefined {
  const verdict = trust.verify(chainPem, { nowMs });
  // Nor does a clock that jumps: a token does not outlive its certificate.
  return verdict.ok || verdict.why === "expired" || verdict.why === "not-yet-valid" ? undefined : verdict.message;
}

/** Why nothing more may come by the relay that a connection is of. */
export function distrustOfRelay({ relay, fingerprint = "" }: PeerConnection, init: JudgeInit): string | undefined {
  if (relay === undefined) return undefined;
  return distrustOf(relay.chainPem, init) ?? (init.isAllowed({ name: relay.name, fingerprint }) ? undefined : mayNot);
}

/** Whether a live session has to go: the project trusts its certificate no more, or that of its relay, or it may not take part. */
export function judgeSession(session: Session, init: JudgeInit): UntrustedSession | undefined {
  const own = distrustOf(session.identity.chainPem, init) ?? (init.isAllowed(session.identity) ? undefined : mayNot);
  if (own !== undefined) return { session, reason: own, isForRelay: false };
  const ofRelay = distrustOfRelay(session.connection, init);
  return ofRelay === undefined ? undefined : { session, reason: `its relay is not trusted any more: ${ofRelay}`, isForRelay: true };
}

const mayNot = "it may not take part any more";
