import { isIP, type Socket } from "node:net";
import { FlareError } from "@flare-ts/contracts";
import type { ChannelCredentials, ChannelOptions } from "@grpc/grpc-js";
import { addressOf, type HttpProxy } from "./http-proxy.js";
import type { ProxiedTarget } from "./no-proxy.js";
import { type Environment, proxyFromEnvironment } from "./proxy-from-environment.js";

/** The way to a server: straight, or through a proxy's tunnel. */
export interface DialRoute {
  /** What grpc-js is to connect to. */
  readonly target: string;
  readonly options: ChannelOptions;
  readonly proxy: HttpProxy | undefined;
  /** Credentials that do what the given ones do, at the end of this way. */
  through(credentials: ChannelCredentials): ChannelCredentials;
  /** Bytes that have come in on the way so far; whatever they are, the other end lives. */
  heardBytes(): number;
  /** Lets no connection be made any more: grpc-js tries once more after a channel that could not connect was closed. */
  abandon(): void;
  /** What to say in place of the error of a failed attempt, where it failed at the proxy. */
  failure(error: FlareError): FlareError | undefined;
}

/**
 * Finds the way to a server. grpc-js would read some of the variables itself, connect directly where it does not understand
 * them, and keep the proxy's reasons to itself; so it is told of no proxy: it connects to the proxy as if that were the server,
 * and the tunnel is made before TLS begins.
 *
 * @throws FlareError `transfer/proxy-invalid`, `transfer/proxy-not-supported`
 */
export function routeTo(server: ProxiedTarget, environment: Environment): DialRoute {
  const proxy = proxyFromEnvironment(environment, server);
  const options = { "grpc.enable_http_proxy": 0 };
  const abandoned = new AbortController();
  const heard: { socket: Socket | undefined; before: number } = { socket: undefined, before: 0 };
  const heardBytes = (): number => heard.before + (heard.socket?.bytesRead ?? 0);
  const through = (credentials: ChannelCredentials, open: (socket: Socket) => Promise<Socket>): ChannelCredentials =>
    beforeTls(credentials, async (socket) => {
      abandoned.signal.throwIfAborted();
      heard.before = heardBytes();
      heard.socket = socket;
      return open(socket);
    });
  const abandon = (): void => abandoned.abort();
  if (proxy === undefined) {
    const straight = async (socket: Socket): Promise<Socket> => socket;
    return {
      target: targetOf(server),
      options,
      proxy,
      through: (credentials) => through(credentials, straight),
      heardBytes,
      abandon,
      failure: () => undefined,
    };
  }
  const tunnel: TunnelState = { stage: "unreached" };
  return {
    target: targetOf(proxy),
    options: {
      ...options,
      "grpc.default_authority": addressOf(server),
      ...(isIP(server.host) === 0 ? { "grpc.ssl_target_name_override": server.host } : {}),
    },
    proxy,
    through: (credentials) => through(credentials, async (socket) => tunnelThrough(socket, proxy, server, tunnel)),
    heardBytes,
    abandon,
    failure: ({ facts: { details }, message }) => {
      if (tunnel.stage === "unreached") return unreachable(proxy, typeof details === "string" ? details : message);
      return tunnel.stage === "open" ? undefined : tunnel.stage;
    },
  };
}

/** How far the last attempt came. */
interface TunnelState {
  stage: "unreached" | "open" | FlareError;
}

async function tunnelThrough(socket: Socket, proxy: HttpProxy, server: ProxiedTarget, state: TunnelState): Promise<Socket> {
  try {
    // Loaded where there is a proxy: `node:http` brings all that Node has of HTTP along, 2 MB in each process.
    const { openTunnel } = await import("./open-tunnel.js");
    const opened = await openTunnel(socket, proxy, server);
    state.stage = "open";
    return opened;
  } catch (error) {
    state.stage = FlareError.from(error);
    throw error;
  }
}

// `_createSecureConnector` is the one place where grpc-js lets others at a connection before TLS. It is not documented:
// grpc-js is pinned, and the tests with a real proxy fail when it is not called.
function beforeTls(credentials: ChannelCredentials, open: (socket: Socket) => Promise<Socket>): ChannelCredentials {
  const wrapped: ChannelCredentials = Object.create(credentials);
  wrapped._createSecureConnector = (...args) => {
    const inner = credentials._createSecureConnector(...args);
    return {
      connect: async (socket) => inner.connect(await open(socket)),
      waitForReady: async () => inner.waitForReady(),
      getCallCredentials: () => inner.getCallCredentials(),
      destroy: () => inner.destroy(),
    };
  };
  return wrapped;
}

/** The error for a proxy that takes no connection. */
export function unreachable(proxy: HttpProxy, details: string): FlareError {
  const at = addressOf(proxy);
  return new FlareError("transfer/proxy-unreachable", `The proxy ${at} of ${proxy.variable} cannot be reached: ${details}`, {
    facts: { proxy: at, variable: proxy.variable, details },
  });
}

function targetOf(address: ProxiedTarget): string {
  return `dns:${addressOf(address)}`;
}
