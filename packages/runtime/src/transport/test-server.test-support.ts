import { create } from "@bufbuild/protobuf";
import { CommandReplySchema, RenewReplySchema, SubmitUpdateReplySchema } from "@flare-ts/contracts/wire";
import { LiveIdentity } from "../identity/live-identity.js";
import type { AuthEvent } from "../session/auth-event.js";
import { Authenticator } from "../session/authenticator.js";
import type { AuthenticatorInit } from "../session/authenticator-init.js";
import { CallProofBinding, MutualTlsBinding } from "../session/connection-binding.js";
import type { ProjectKeys } from "../session/project-keys.js";
import { TestProject } from "../session/test-project.test-support.js";
import type { Connection, ServerHandlers } from "./connection.js";
import { type DialServerInit, dialServer } from "./dial-server.js";
import { GrpcServerTransport } from "./grpc-server-transport.js";
import { TerminatingProxy, type TerminatingProxyInit } from "./terminating-proxy.test-support.js";

/** How a test's server is reached; `proxy` is TLS that ends at a proxy, behind which the server speaks TLS again. */
export type TestWay = "mtls" | "tls" | "clear" | "proxy";

/** A server on loopback with real TLS, and what a test needs to dial it. */
export interface TestServer {
  readonly project: TestProject;
  /** The server's own. */
  readonly keys: ProjectKeys;
  readonly transport: GrpcServerTransport;
  readonly authenticator: Authenticator;
  /** Where participants dial. */
  readonly port: number;
  /** Where the server listens. */
  readonly serverPort: number;
  /** With the way `proxy` only. */
  readonly proxy: TerminatingProxy;
  /** Everything the audit heard. */
  readonly events: AuthEvent[];
  /** How a participant with these keys dials; a new certificate of that name by default. */
  dialInit(name: string, keys?: ProjectKeys): DialServerInit;
  dial(name: string, keys?: ProjectKeys): Promise<Connection>;
  /** Closes all dialled connections and stops. */
  stop(): Promise<void>;
}

export interface TestServerInit {
  readonly now?: () => number;
  readonly isAllowed?: () => boolean;
  /** @default "mtls" */
  readonly way?: TestWay;
  readonly idleCheckMs?: number;
  readonly stallMs?: number;
  /** @default limits.http2WindowBytes */
  readonly windowBytes?: number;
  /** @default a new one */
  readonly testProject?: TestProject;
  /** What the proxy does to calls. */
  readonly proxy?: Pick<TerminatingProxyInit, "onCall" | "onReply">;
}

/** Starts a server; calls that a test gives no handler for answer with an empty message, or end. */
export async function startTestServer(
  handlers: Partial<ServerHandlers> = {},
  init: Partial<AuthenticatorInit> & TestServerInit = {},
): Promise<TestServer> {
  const {
    now,
    isAllowed,
    way = "mtls",
    proxy: proxyInit,
    idleCheckMs,
    stallMs,
    windowBytes,
    testProject: project = new TestProject("test-project"),
    ...authenticatorInit
  } = init;
  const connectionSecurity = way === "proxy" ? "tls" : way;
  const keys = init.keys ?? project.server();
  const { renewalGraceMs = 0 } = init;
  const events: AuthEvent[] = [];
  const authenticator = new Authenticator(
    {
      audit: (event) => events.push(event),
      binding: way === "mtls" ? new MutualTlsBinding() : new CallProofBinding(),
      ...(keys instanceof LiveIdentity ? { keysShown: (fingerprint) => keys.keysShown(fingerprint, Date.now()) } : {}),
      ...(now ? { now } : {}),
      ...(isAllowed ? { isAllowed } : {}),
    },
    { project: project.name, serverName: "server-1", ...authenticatorInit, keys },
  );
  const transport = new GrpcServerTransport(
    { authenticator, handlers: { ...quietHandlers, ...handlers } },
    {
      host: "127.0.0.1",
      port: 0,
      keys,
      connectionSecurity,
      renewalGraceMs,
      ...(idleCheckMs === undefined ? {} : { idleCheckMs }),
      ...(windowBytes === undefined ? {} : { windowBytes }),
      ...(stallMs === undefined ? {} : { stallMs }),
    },
  );
  const serverPort = await transport.start();
  // The certificate of a proxy is nobody's of the project.
  const proxyKeys = new TestProject("authority of proxies").issue({ name: "localhost" });
  const proxy = new TerminatingProxy({ ...proxyKeys, ...proxyInit, upstream: { port: serverPort, isTls: true } });
  const port = way === "proxy" ? await proxy.start() : serverPort;
  const connections: Connection[] = [];
  const dialInit = (name: string, participant = project.issue({ name })): DialServerInit => ({
    keys: participant,
    host: "localhost",
    port,
    serverIdentity: "server-1",
    project: project.name,
    name,
    connectionSecurity,
    ...(way === "proxy" ? { customRootCaPem: proxyKeys.trust.rootBundlePem } : {}),
  });
  return {
    project,
    keys,
    transport,
    authenticator,
    port,
    serverPort,
    proxy,
    events,
    dialInit,
    dial: async (name, participant) => {
      const connection = await dialServer(dialInit(name, participant));
      connections.push(connection);
      return connection;
    },
    stop: async () => {
      for (const connection of connections) connection.close();
      if (way === "proxy") await proxy.stop();
      await transport.stop(1000);
    },
  };
}

const quietHandlers: ServerHandlers = {
  attach: () => ({ onMessage: () => undefined, onClose: () => undefined }),
  submitUpdate: async () => create(SubmitUpdateReplySchema, { outcome: "accepted" }),
  stat: async () => ({ isComplete: false, durableOffset: 0 }),
  upload: async () => ({ isComplete: false, durableOffset: 0 }),
  download: async function* () {},
  execute: async () => create(CommandReplySchema, { resultJson: "{}" }),
  watch: async function* () {},
  follow: async function* () {},
  renew: async () => create(RenewReplySchema, { isPending: true }),
};
