import { create } from "@bufbuild/protobuf";
import { FlareError, limits } from "@flare-ts/contracts";
import {
  type ChallengeReply,
  type ChallengeRequest,
  ChallengeRequestSchema,
  type RegisterReply,
  type RegisterRequest,
  RegisterRequestSchema,
} from "@flare-ts/contracts/wire";
import { isSignedBy, signBytes } from "@flare-ts/provision/kit";
import { CallProver } from "./call-proof.js";
import { fingerprintOf, type ProjectKeys, parseCertificate } from "./project-keys.js";
import { protocolVersion } from "./protocol-version.js";
import { deriveCallKey, isKeyShare, type KeyShare, makeKeyShare } from "./session-secret.js";
import { clientHello, type RegistrationFacts, serverHello } from "./transcript.js";
import { verifyServer } from "./verify-certificate.js";

/** A session as its participant holds it. */
export interface SessionTicket {
  readonly sessionId: string;
  readonly token: string;
  /** The server's certificate, with those that stand between it and a root; PEM. */
  readonly serverChainPem: string;
  /** When to renew the token; milliseconds from now. */
  readonly renewInMs: number;
  /** Proves the token's calls, where TLS ends at a proxy. */
  readonly prover: CallProver | undefined;
  /** Whether the server says that another certificate can be had. */
  readonly shouldRenew: boolean;
  /** Largest update that the server takes inside a message. */
  readonly inlineBytes: number;
}

export interface RegisterSessionComponents {
  challenge(request: ChallengeRequest): Promise<ChallengeReply>;
  register(request: RegisterRequest): Promise<RegisterReply>;
  randomBytes(length: number): Buffer;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** What the first step of a registration or a renewal needs. */
export type ChallengeComponents = Pick<RegisterSessionComponents, "challenge" | "randomBytes" | "now">;

export interface RegisterSessionInit {
  readonly keys: ProjectKeys;
  readonly project: string;
  readonly serverIdentity: string;
  readonly name: string;
  /** SHA-256 of the certificate that TLS showed, if TLS ends at the server. */
  readonly tlsFingerprint: () => string | undefined;
  /** Whether the calls of the session are proven one by one, as where TLS ends at a proxy or a relay. @default false */
  readonly isPerCall?: boolean;
}

/**
 * The participant's side of a registration: the server proves itself first, then the participant.
 *
 * @throws FlareError `auth/server-untrusted` when whoever answers is not the project's server
 */
export async function registerSession(components: RegisterSessionComponents, init: RegisterSessionInit): Promise<SessionTicket> {
  const { keys } = init;
  const { facts, reply, share } = await meetServer(components, init);
  const hello = clientHello(facts, fingerprintOf(keys.certificate));
  const signature = signBytes(hello, keys.privateKey);
  const { sessionId, token, expiresAtMs, shouldRenew, inlineBytes } = await components.register(
    create(RegisterRequestSchema, { challengeId: reply.challengeId, certificate: keys.certificatePem, signature }),
  );
  const prover = share && new CallProver({ key: deriveCallKey(share, reply.serverKeyShare, hello) });
  const renewInMs = renewIn(Number(expiresAtMs) - components.now());
  return { sessionId, token, serverChainPem: reply.certificate, renewInMs, prover, shouldRenew, inlineBytes };
}

/** A server that has proven itself, with what the participant has to sign. */
export interface MetServer {
  readonly facts: RegistrationFacts;
  readonly reply: ChallengeReply;
  /** The participant's part of a key agreement, where calls are proven one by one. */
  readonly share: KeyShare | undefined;
}

/**
 * The first step of a registration or a renewal: the server proves itself.
 *
 * @throws FlareError `auth/server-untrusted`
 */
export async function meetServer(components: ChallengeComponents, init: RegisterSessionInit): Promise<MetServer> {
  const { project, serverIdentity, name, isPerCall = false } = init;
  const clientNonce = components.randomBytes(32);
  const share = isPerCall ? makeKeyShare() : undefined;
  const offer = {
    protocolVersion,
    project,
    identity: name,
    clientNonce,
    ...(share === undefined ? {} : { clientKeyShare: share.publicKey }),
  };
  const reply = await components.challenge(create(ChallengeRequestSchema, offer));
  const server = parseCertificate(reply.certificate, "certificate of the server");
  const facts: RegistrationFacts = {
    protocolVersion,
    project,
    serverName: serverIdentity,
    identity: name,
    challengeId: reply.challengeId,
    clientNonce,
    serverNonce: reply.serverNonce,
    serverFingerprint: fingerprintOf(server),
    ...(share === undefined ? {} : { keyShares: { client: share.publicKey, server: reply.serverKeyShare } }),
  };
  proveServer(components, init, reply, facts);
  return { facts, reply, share };
}

function proveServer(components: ChallengeComponents, init: RegisterSessionInit, reply: ChallengeReply, facts: RegistrationFacts): void {
  const { keys, serverIdentity, tlsFingerprint } = init;
  const server = parseCertificate(reply.certificate, "certificate of the server");
  let serverName: string;
  try {
    serverName = verifyServer({ chainPem: reply.certificate, trust: keys.trust, nowMs: components.now() });
  } catch (error) {
    throw untrusted(FlareError.from(error).message, facts, error);
  }
  if (serverName !== serverIdentity) {
    throw untrusted(`The certificate shown is that of ${JSON.stringify(serverName)}, not of ${JSON.stringify(serverIdentity)}.`, facts);
  }
  const seen = tlsFingerprint();
  if (seen !== undefined && seen !== facts.serverFingerprint) {
    throw untrusted("The certificate of the challenge is not the one of the TLS handshake: something stands in between.", facts);
  }
  if (facts.keyShares !== undefined && !isKeyShare(facts.keyShares.server)) {
    throw untrusted("The server gives no key for the session, as one does that expects mutual TLS without a relay in between.", facts);
  }
  if (!isSignedBy(serverHello(facts), reply.signature, server.publicKey)) {
    throw untrusted("The challenge is not signed by the key of the server's certificate.", facts);
  }
}

function untrusted(why: string, facts: RegistrationFacts, cause?: unknown): FlareError {
  return new FlareError("auth/server-untrusted", why.slice(0, limits.peerTextChars), {
    facts: { serverIdentity: facts.serverName, fingerprint: facts.serverFingerprint },
    cause,
  });
}

// At two thirds of the token's life. The two clocks may differ: a life that cannot be is taken for the usual one, or a site
// whose clock is an hour ahead would renew its token twice a second.
function renewIn(lifeMs: number): number {
  const isLikely = lifeMs > 0 && lifeMs <= limits.tokenMs;
  return Math.max(((isLikely ? lifeMs : limits.tokenMs) * 2) / 3, minRenewMs);
}

const minRenewMs = 500;
