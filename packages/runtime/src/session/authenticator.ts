import { randomBytes, randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { FlareError, limits } from "@flare-ts/contracts";
import {
  type ChallengeReply,
  ChallengeReplySchema,
  type ChallengeRequest,
  type RegisterReply,
  RegisterReplySchema,
  type RegisterRequest,
  type RenewRequest,
} from "@flare-ts/contracts/wire";
import { readSubject, signBytes } from "@flare-ts/provision/kit";
import type { ProvenRenewal } from "../identity/renewal-desk.js";
import { AuthAudit, whereFrom } from "./auth-audit.js";
import type { AuthenticatorComponents, AuthenticatorInit } from "./authenticator-init.js";
import type { UnprovenCall } from "./call-proof.js";
import { ChallengeBook, type PendingChallenge } from "./challenge-book.js";
import { checkChallengeRequest } from "./check-challenge-request.js";
import { type ConnectionBinding, MutualTlsBinding, notYours, type PeerConnection } from "./connection-binding.js";
import type { Identity, ParticipantKind } from "./identity.js";
import { distrustOfRelay, type JudgeInit, judgeSession, type UntrustedSession } from "./judge-session.js";
import { beginAgreement, finishAgreement, sharesOf } from "./key-agreement.js";
import { capPeerText as cap, quotePeerText as quote } from "./peer-text.js";
import { fingerprintOf, type ProjectKeys, parseCertificate, snapshotOf } from "./project-keys.js";
import { protocolVersion } from "./protocol-version.js";
import { type ProveParticipantInit, proveParticipant } from "./prove-participant.js";
import { type Session, SessionBook } from "./session-book.js";
import { clientHello, type RegistrationFacts, renewalRequest, serverHello } from "./transcript.js";
import { verifyTrusted } from "./verify-certificate.js";

/** A call with the token that it carries. */
export interface TokenCall extends UnprovenCall {
  readonly token: string;
}

/** What came of a registration: the reply, and the silent session of the same name that had to go, if there was one. */
export interface Registration {
  readonly reply: RegisterReply;
  readonly superseded: Session | undefined;
}

/**
 * The server's side of sessions: proves the server to a participant, the participant to the server, and each later call
 * to be the participant's. Every refusal has its own code, goes to the audit, and changes nothing else.
 */
export class Authenticator {
  readonly #audit: AuthAudit;
  readonly #isAllowed: (identity: Pick<Identity, "name" | "fingerprint">) => boolean;
  readonly #admit: (identity: Identity) => void;
  readonly #binding: ConnectionBinding;
  readonly #keysShown: (fingerprint: string | undefined) => ProjectKeys | undefined;
  readonly #shouldRenew: (identity: Identity) => boolean;
  readonly #now: () => number;
  readonly #steadyNow: () => number;
  readonly #init: AuthenticatorInit;
  readonly #challenges = new ChallengeBook({ max: 10_000, maxPerConnection: 16, maxPerSecond: limits.challengesPerSecond });
  readonly #sessions = new SessionBook();

  constructor(components: AuthenticatorComponents, init: AuthenticatorInit) {
    this.#audit = new AuthAudit(components);
    this.#isAllowed = components.isAllowed ?? (() => true);
    this.#admit = components.admit ?? (() => undefined);
    this.#binding = components.binding ?? new MutualTlsBinding();
    this.#keysShown = components.keysShown ?? (() => undefined);
    this.#shouldRenew = components.shouldRenew ?? (() => false);
    this.#now = components.now ?? Date.now;
    this.#steadyNow = components.steadyNow ?? this.#now;
    this.#init = init;
  }

  /**
   * First step of a registration: proves the server, and gives out what the participant must sign.
   *
   * @throws FlareError `auth/protocol-version`, `auth/wrong-project`, `auth/security-mismatch`, `auth/too-many-challenges`, and
   * `auth/certificate-…` where the project does not trust the relay that the connection is of
   */
  challenge(request: ChallengeRequest, connection: PeerConnection): ChallengeReply {
    return this.#audit.refusals("challenge", connection, request.identity, () => {
      const { project, registrationMs = limits.registrationMs } = this.#init;
      checkChallengeRequest(request, project);
      this.#requireTrustedRelay(connection, request.identity);
      const keys = this.#keysFor(connection);
      const pending: PendingChallenge = {
        id: randomUUID(),
        identity: request.identity,
        clientNonce: Uint8Array.from(request.clientNonce),
        serverNonce: randomBytes(32),
        connectionId: this.#placeOf(connection),
        serverKeys: keys,
        agreement: this.#binding.isProven(connection) ? beginAgreement(request.clientKeyShare) : undefined,
        expiresAtMs: this.#steadyNow() + registrationMs,
      };
      this.#challenges.add(pending, this.#steadyNow());
      return create(ChallengeReplySchema, {
        protocolVersion,
        challengeId: pending.id,
        serverNonce: pending.serverNonce,
        certificate: keys.certificatePem,
        ...(pending.agreement === undefined ? {} : { serverKeyShare: pending.agreement.own.publicKey }),
        signature: signBytes(serverHello(this.#factsOf(pending)), keys.privateKey),
      });
    });
  }

  /**
   * Second step: proves the participant and opens its session, or renews the one that it has on this connection or, where
   * calls are proven one by one, that of the token that this call carries.
   *
   * @throws FlareError `auth/…` for each way in which the proof can fail
   */
  register(request: RegisterRequest, connection: PeerConnection, call?: TokenCall): Registration {
    let claimed: string | undefined;
    return this.#audit.refusals(
      "register",
      connection,
      () => claimed,
      () => {
        const pending = this.#challenges.take(request.challengeId, this.#placeOf(connection), this.#steadyNow());
        claimed = pending.identity;
        const identity = this.#prove(pending, connection, {
          chainPem: request.certificate,
          signature: request.signature,
          transcriptOf: clientHello,
        });
        this.#admit(identity);
        const verifier = pending.agreement && finishAgreement(pending.agreement, clientHello(this.#factsOf(pending), identity.fingerprint));
        const renews = this.#renewedBy(identity, connection, call);
        const superseded = this.#makeRoom(identity, connection, renews);
        const leftMs = Date.parse(parseCertificate(identity.chainPem, "certificate of the registration").validTo) - this.#now();
        const tokenMs = Math.min(this.#init.tokenMs ?? limits.tokenMs, leftMs);
        const { session, token } = this.#sessions.issue({
          identity,
          connection,
          nowMs: this.#steadyNow(),
          tokenMs,
          renews,
          verifier,
        });
        this.#audit.write({
          kind: renews === undefined ? "registered" : "renewed",
          name: identity.name,
          sessionId: session.id,
          ...whereFrom(connection),
          fingerprint: identity.fingerprint,
        });
        const expiresAtMs = BigInt(Math.floor(this.#now() + tokenMs));
        const shouldRenew = this.#shouldRenew(identity);
        const reply = create(RegisterReplySchema, {
          sessionId: session.id,
          token,
          expiresAtMs,
          shouldRenew,
          inlineBytes: limits.inlineBytes,
        });
        return { reply, superseded };
      },
    );
  }

  /**
   * Proves that whoever asks for a new certificate owns the key of the old one, which may have ended within the grace.
   *
   * @throws FlareError `auth/renewal-too-late`, and `auth/…` for each other way in which the proof can fail
   */
  proveRenewal(request: RenewRequest, connection: PeerConnection): ProvenRenewal {
    let claimed: string | undefined;
    return this.#audit.refusals(
      "renew",
      connection,
      () => claimed,
      () => {
        const pending = this.#challenges.take(request.challengeId, this.#placeOf(connection), this.#steadyNow());
        claimed = pending.identity;
        const { certificate: chainPem, csrPem, signature } = request;
        if (csrPem.length > limits.chainBytes) throw new FlareError("transfer/protocol", "The request for a certificate is too long.");
        const identity = this.#prove(pending, connection, {
          chainPem,
          signature,
          transcriptOf: (facts, fingerprint) => renewalRequest(facts, fingerprint, csrPem),
          allowExpiredMs: this.#init.renewalGraceMs ?? 0,
        });
        const certificate = parseCertificate(chainPem, "certificate of the renewal");
        return { chainPem: identity.chainPem, certificate, subject: readSubject(certificate), csrPem };
      },
    );
  }

  /**
   * The session of a call, which is thereby alive. Where calls are proven one by one, each is good once.
   *
   * @throws FlareError `auth/token-unknown`, `auth/token-expired`, `auth/token-not-yours`, `auth/proof-missing`,
   * `auth/proof-invalid`, `auth/call-replayed`, `auth/wrong-kind`, `auth/not-allowed`
   */
  authenticate(token: string, connection: PeerConnection, kinds: readonly ParticipantKind[], call?: UnprovenCall): Session {
    let claimed: string | undefined;
    return this.#audit.refusals(
      "call",
      connection,
      () => claimed,
      () => {
        const { session, verifier } = this.#sessions.byToken(token, this.#steadyNow());
        const { identity } = session;
        claimed = identity.name;
        if (!this.#binding.mayUse(session.connection, connection)) throw notYours(identity.name, session.connection, connection);
        verifier?.verify({ sessionId: session.id, method: call?.method ?? "", body: call?.body }, call?.proof);
        this.#requireAllowed(identity);
        if (!kinds.includes(identity.kind)) {
          throw new FlareError(
            "auth/wrong-kind",
            `${quote(identity.name)} is registered as ${identity.kind}; the call is for ${kinds.join(" or ")}.`,
            {
              facts: { name: identity.name, kind: identity.kind, allowed: [...kinds] },
            },
          );
        }
        this.#sessions.touch(session.id, this.#steadyNow());
        return session;
      },
    );
  }

  /** Notes that something was heard of a session. */
  touch(sessionId: string): void {
    this.#sessions.touch(sessionId, this.#steadyNow());
  }

  /** Sessions that end for want of calls; only where they do not end with their connection. */
  silentSessions(): readonly Session[] {
    const { silenceMs = limits.silenceMs, adminIdleMs = limits.adminIdleMs } = this.#init;
    if (!this.#binding.isPerCall) return [];
    return this.#sessions.silent(this.#steadyNow(), ({ kind }) => (kind === "client" ? silenceMs : adminIdleMs));
  }

  /** Live sessions of a name. */
  sessionsOf(name: string): readonly Session[] {
    return this.#sessions.find(name);
  }

  session(sessionId: string): Session | undefined {
    return this.#sessions.get(sessionId);
  }

  /**
   * Live sessions whose certificates, or those of whose relays, the project trusts no more, or who may not take part any more, each with
   * the reason.
   */
  untrustedSessions(): readonly UntrustedSession[] {
    return this.#sessions.all().flatMap((session) => judgeSession(session, this.#judge()) ?? []);
  }

  /** Live sessions whose certificate has ended, and which were not registered again with another. */
  expiredSessions(): readonly Omit<UntrustedSession, "isForRelay">[] {
    return this.#sessions.all().flatMap((session) => {
      const { validTo } = parseCertificate(session.identity.chainPem, "certificate of a session");
      return this.#now() <= Date.parse(validTo) ? [] : [{ session, reason: `its certificate ended on ${validTo}` }];
    });
  }

  /** Ends a session: its tokens are worth nothing from now on. */
  end(sessionId: string, reason: string): void {
    const session = this.#sessions.end(sessionId);
    if (session === undefined) return;
    this.#audit.write({ kind: "ended", name: session.identity.name, sessionId, ...whereFrom(session.connection), reason });
  }

  /** A connection is closed: its sessions and open challenges end, where they belong to one. */
  connectionClosed(connectionId: string): void {
    if (this.#binding.isPerCall) return;
    this.#challenges.forgetConnection(connectionId);
    for (const { id } of this.#sessions.onConnection(connectionId)) this.end(id, "connection closed");
  }

  /** Records a refusal that happened before anything of ours was asked, in the TLS handshake. */
  refusedInTls(address: string, reason: string): void {
    this.#audit.write({ kind: "refused", step: "tls", code: "auth/tls-refused", reason: cap(reason), address });
  }

  #prove(
    pending: PendingChallenge,
    connection: PeerConnection,
    proof: Pick<ProveParticipantInit, "chainPem" | "signature" | "transcriptOf" | "allowExpiredMs">,
  ): Identity {
    const identity = proveParticipant({ ...proof, facts: this.#factsOf(pending), trust: this.#init.keys.trust, nowMs: this.#now() });
    if (!this.#binding.mayRegister(identity, connection) && !this.#isRenewed(identity, connection)) {
      throw new FlareError(
        "auth/certificate-untrusted",
        `The certificate of ${quote(identity.name)} is not the one of this connection's TLS handshake.`,
        {
          facts: { name: cap(identity.name), registered: identity.fingerprint, ofConnection: connection.fingerprint ?? null },
        },
      );
    }
    this.#requireAllowed(identity);
    return identity;
  }

  /** Whether this connection has a session of the same participant, who has got another certificate since the handshake. */
  #isRenewed({ name, org, role }: Identity, connection: PeerConnection): boolean {
    return this.#sessions
      .onConnection(connection.id)
      .some(({ identity }) => identity.name === name && identity.org === org && identity.role === role);
  }

  // Whoever registers first on a connection compares with the handshake; later the certificate in force is shown.
  #keysFor(connection: PeerConnection): ProjectKeys {
    const isFirst = !this.#binding.isPerCall && this.#sessions.onConnection(connection.id).length === 0;
    const shown = isFirst ? this.#keysShown(connection.serverFingerprint) : undefined;
    return shown ?? snapshotOf(this.#init.keys);
  }

  #placeOf(connection: PeerConnection): string | undefined {
    return this.#binding.isPerCall ? undefined : connection.id;
  }

  #renewedBy(identity: Identity, connection: PeerConnection, call: TokenCall | undefined): Session | undefined {
    if (!this.#binding.isPerCall) return this.#sessions.find(identity.name).find((session) => session.connection.id === connection.id);
    if (call === undefined || call.token === "") return undefined;
    const { session, verifier } = this.#sessions.byToken(call.token, this.#steadyNow());
    verifier?.verify({ ...call, sessionId: session.id }, call.proof);
    if (session.identity.name === identity.name) return session;
    throw new FlareError("auth/name-mismatch", `${quote(identity.name)} cannot renew a session of ${quote(session.identity.name)}.`, {
      facts: { claimed: cap(identity.name), session: cap(session.identity.name) },
    });
  }

  // A kit that runs twice must not throw its first process out; a process that died must not keep its successor out.
  #makeRoom(identity: Identity, connection: PeerConnection, renews: Session | undefined): Session | undefined {
    if (identity.kind !== "client") return undefined;
    const other = this.#sessions.find(identity.name).find((session) => session.id !== renews?.id);
    if (other === undefined) return undefined;
    const silentMs = Math.round(this.#steadyNow() - other.lastSeenMs);
    if (silentMs <= (this.#init.silenceMs ?? limits.silenceMs)) {
      throw new FlareError(
        "auth/already-connected",
        `${quote(identity.name)} is connected from ${other.connection.address}, last heard of ${silentMs} ms ago.`,
        {
          facts: { name: cap(identity.name), address: other.connection.address, silentMs },
        },
      );
    }
    this.end(other.id, `silent for ${silentMs} ms, superseded from ${connection.address}`);
    return other;
  }

  /** A relay's own certificate is judged with its registration. */
  #requireTrustedRelay(connection: PeerConnection, claimed: string): void {
    const { relay } = connection;
    if (relay === undefined || relay.name === claimed) return;
    // Dates count for whoever comes anew: on a connection that stands, the relay may have another certificate since the handshake.
    const isFirst = this.#sessions.onConnection(connection.id).length === 0;
    if (isFirst) verifyTrusted({ chainPem: relay.chainPem, trust: this.#init.keys.trust, nowMs: this.#now() });
    const distrust = distrustOfRelay(connection, this.#judge());
    if (distrust !== undefined) throw new FlareError("auth/not-allowed", `The relay ${quote(relay.name)}: ${distrust}`);
  }

  #judge(): JudgeInit {
    return { trust: this.#init.keys.trust, nowMs: this.#now(), isAllowed: this.#isAllowed };
  }

  #requireAllowed(identity: Identity): void {
    if (this.#isAllowed(identity)) return;
    throw new FlareError("auth/not-allowed", `${quote(identity.name)} may not take part any more.`, {
      facts: { name: cap(identity.name), fingerprint: identity.fingerprint },
    });
  }

  #factsOf(pending: PendingChallenge): RegistrationFacts {
    const { project, serverName } = this.#init;
    return {
      protocolVersion,
      project,
      serverName,
      identity: pending.identity,
      challengeId: pending.id,
      clientNonce: pending.clientNonce,
      serverNonce: pending.serverNonce,
      serverFingerprint: fingerprintOf(pending.serverKeys.certificate),
      ...(pending.agreement === undefined ? {} : { keyShares: sharesOf(pending.agreement) }),
    };
  }
}
