import { createHash, randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { checkServerIdentity, createSecureContext, type PeerCertificate, type SecureContext } from "node:tls";
import { type ConnectionSecurity, FlareError, limits } from "@flare-ts/contracts";
import type { RenewReply, RenewRequest } from "@flare-ts/contracts/wire";
import { ChannelCredentials, type ChannelOptions, Client } from "@grpc/grpc-js";
import { type ProjectKeys, snapshotOf } from "../session/project-keys.js";
import { type ChallengeComponents, type RegisterSessionInit, registerSession } from "../session/register-session.js";
import { requestRenewal } from "../session/request-renewal.js";
import { retryBufferBytes } from "./chunk-codec.js";
import { type CallOptions, ClientCalls } from "./client-calls.js";
import type { Connection } from "./connection.js";
import { endsAtServer, refuseClearText } from "./connection-security.js";
import { explainDialFailure } from "./explain-dial-failure.js";
import { messageOptions } from "./flow-control.js";
import { GrpcConnection, type RegisteredTicket } from "./grpc-connection.js";
import { routeTo } from "./proxy/dial-route.js";
import type { Environment } from "./proxy/proxy-from-environment.js";
import { quietGrpc } from "./quiet-grpc.js";
import { reuseMessageMemory } from "./reuse-message-memory.js";
import { strangerTo } from "./stranger-to.js";
import { wireMethods } from "./wire-method.js";

export interface DialServerInit {
  readonly keys: ProjectKeys;
  /** Where the server listens: a name of its certificate. */
  readonly host: string;
  readonly port: number;
  /** Common name that the server's certificate must carry. */
  readonly serverIdentity: string;
  readonly project: string;
  /** The name to register under; that of the certificate. */
  readonly name: string;
  /** HTTP/2 window of each stream and connection. @default limits.http2WindowBytes */
  readonly windowBytes?: number;
  /** Variables that may name a proxy. @default process.env */
  readonly environment?: Environment;
  /** @default "mtls" */
  readonly connectionSecurity?: ConnectionSecurity;
  /** Root certificates by which a proxy that ends TLS is verified; PEM. @default the root of the project */
  readonly customRootCaPem?: string | undefined;
  /** The relay that is dialled in the server's place, whose certificate TLS must show then. */
  readonly relay?: string | undefined;
  /** Whether this is a relay, whose calls prove themselves wherever they go. @default false */
  readonly isRelay?: boolean;
  /** Whether clear text may leave this machine. @default false */
  readonly isClearAllowed?: boolean | undefined;
}

/**
 * Connects to the server, checks that it is the project's server, and registers. The session's token is renewed while the
 * connection lives. Over mutual TLS the certificate of the handshake is the server's and the participant shows its own;
 * over `tls`, `clear` and a relay both prove themselves inside only.
 *
 * @throws FlareError `transfer/unreachable`, `transfer/clear-refused`, `transfer/proxy-…`, `auth/tls-refused`,
 * `auth/server-untrusted`, and what the server refuses with
 */
export async function dialServer(init: DialServerInit, signal?: AbortSignal): Promise<Connection> {
  return await onChannel(init, signal, async ({ client, calls, steps, session, heardBytes }) => {
    let isFirst = true;
    const register = async (authorize: CallOptions["authorize"], registerSignal?: AbortSignal): Promise<RegisteredTicket> => {
      const keys = snapshotOf(init.keys);
      const ticket = await registerSession(
        {
          ...steps(registerSignal),
          register: async (request) =>
            calls.unary(wireMethods.register, request, {
              signal: registerSignal,
              deadlineMs: limits.registrationMs,
              ...(authorize === undefined ? {} : { authorize }),
            }),
        },
        { ...session, keys, ...(isFirst ? {} : { tlsFingerprint: otherCertificate }) },
      );
      isFirst = false;
      return { ...ticket, keys };
    };
    const renewCertificate = async (csrPem: string, renewSignal?: AbortSignal): Promise<RenewReply> =>
      requestRenewal(
        { ...steps(renewSignal), renew: renewCall(calls, renewSignal) },
        { ...session, keys: snapshotOf(init.keys), tlsFingerprint: otherCertificate },
        csrPem,
      );
    const ticket = await register(undefined, signal);
    const isTied = endsAtServer(init.connectionSecurity ?? "mtls");
    return new GrpcConnection({ client, calls, register, renewCertificate, heardBytes }, { ticket, isTied });
  });
}

/**
 * Connects to the server, without a session, to ask for the certificate that follows the participant's own: the way for one
 * whose certificate has ended.
 *
 * @throws FlareError as `dialServer`, and `auth/renewal-…`
 */
export async function dialForRenewal(init: DialServerInit, csrPem: string, signal?: AbortSignal): Promise<RenewReply> {
  return await onChannel(init, signal, async ({ client, calls, steps, session }) => {
    const renew = renewCall(calls, signal);
    const reply = await requestRenewal({ ...steps(signal), renew }, { ...session, keys: snapshotOf(init.keys) }, csrPem);
    client.close();
    return reply;
  });
}

/** A way to the server, and what the steps on it have in common. */
interface Channel {
  readonly client: Client;
  readonly calls: ClientCalls;
  readonly steps: (signal: AbortSignal | undefined) => ChallengeComponents;
  readonly session: RegisterSessionInit;
  readonly heardBytes: () => number;
}

async function onChannel<Result>(
  init: DialServerInit,
  signal: AbortSignal | undefined,
  use: (channel: Channel) => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted();
  const { host, connectionSecurity: security = "mtls", isClearAllowed = false } = init;
  refuseClearText("dialling", host, { security, isClearAllowed });
  quietGrpc();
  reuseMessageMemory();
  const seen: SeenServer = { fingerprint: undefined };
  const route = routeTo(init, init.environment ?? process.env);
  const client = new Client(route.target, route.through(credentialsOf(init, seen)), { ...optionsOf(init), ...route.options });
  const calls = new ClientCalls({ client }, { peer: `${init.host}:${init.port}` });
  const steps = (stepSignal: AbortSignal | undefined): ChallengeComponents => ({
    challenge: async (request) => calls.unary(wireMethods.challenge, request, { signal: stepSignal, deadlineMs: limits.registrationMs }),
    randomBytes,
    now: Date.now,
  });
  const isShownToServer = endsAtServer(security) && init.relay === undefined;
  const tlsFingerprint = (): string | undefined => (isShownToServer ? seen.fingerprint : undefined);
  try {
    const session = { ...init, isPerCall: !isShownToServer || init.isRelay === true, tlsFingerprint };
    return await use({ client, calls, steps, session, heardBytes: () => route.heardBytes() });
  } catch (error) {
    client.close();
    route.abandon();
    if (signal?.aborted === true) throw FlareError.from(signal.reason);
    const failure = explainDialFailure(error, init);
    throw route.failure(failure) ?? failure;
  }
}

// On a connection that stands, the server may have got another certificate since the handshake.
const otherCertificate = (): undefined => undefined;

function renewCall(calls: ClientCalls, signal: AbortSignal | undefined): (request: RenewRequest) => Promise<RenewReply> {
  return async (request) => calls.unary(wireMethods.renew, request, { signal, deadlineMs: limits.registrationMs });
}

/** The certificate that the TLS handshake showed. */
interface SeenServer {
  fingerprint: string | undefined;
}

function credentialsOf(init: DialServerInit, seen: SeenServer): ChannelCredentials {
  if (init.connectionSecurity === "clear") return ChannelCredentials.createInsecure();
  const { host, relay = "", keys } = init;
  const isRelay = init.relay !== undefined && init.connectionSecurity !== "tls";
  return ChannelCredentials.createFromSecureContext(secureContextOf(init), {
    // The name given here is that of SNI, which cannot be an IP address.
    checkServerIdentity: (_name: string, certificate: PeerCertificate) => {
      seen.fingerprint = createHash("sha256").update(certificate.raw).digest("hex");
      return (
        checkServerIdentity(host, certificate) ??
        (isRelay ? strangerTo({ name: relay, role: "relay" }, certificate, keys.trust) : undefined)
      );
    },
  });
}

function secureContextOf({ keys, connectionSecurity, customRootCaPem }: DialServerInit): SecureContext {
  const minVersion = "TLSv1.2";
  try {
    if (connectionSecurity === "tls") return createSecureContext({ ca: customRootCaPem ?? keys.trust.rootBundlePem, minVersion });
    return createSecureContext({ ca: keys.trust.rootBundlePem, cert: keys.certificatePem, key: keys.privateKeyPem, minVersion });
  } catch (error) {
    throw new FlareError("auth/certificate-unreadable", "The participant's certificate or key cannot be used for TLS.", { cause: error });
  }
}

function optionsOf({ host, serverIdentity, windowBytes = limits.http2WindowBytes }: DialServerInit): ChannelOptions {
  return {
    ...messageOptions(windowBytes, limits.controlMessageBytes),
    // One connection for each call of this function: tokens belong to connections.
    "grpc.use_local_subchannel_pool": 1,
    // Repeating a call is the caller's business; grpc-js would keep copies of chunks for it.
    "grpc.enable_retries": 0,
    "grpc.per_rpc_retry_buffer_size": retryBufferBytes,
    "grpc.service_config_disable_resolution": 1,
    "grpc.enable_channelz": 0,
    "grpc.client_idle_timeout_ms": maxTimeoutMs,
    ...(isIP(host) === 0 ? {} : { "grpc.ssl_target_name_override": isIP(serverIdentity) === 0 ? serverIdentity : "server" }),
  };
}

// The longest that a timer of Node can take.
const maxTimeoutMs = 2 ** 31 - 1;
