import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import type { SecureContextOptions, TLSSocket } from "node:tls";
import type { Server, ServerCredentials } from "@grpc/grpc-js";

/**
 * Raises the HTTP/2 windows of a server, which decide the speed of everything that is sent to it (64 KiB by default:
 * 1 MB/s at 40 ms). grpc-js 1.14.7 ignores its own option on servers (grpc/grpc-node#3058), so the stream window goes
 * in through the options of the HTTP/2 server; `setConnectionWindow` does the other half. Both use internals of
 * grpc-js, which is why its version is pinned and a test reads the windows in force.
 */
export function withServerOptions(credentials: ServerCredentials, windowBytes: number): ServerCredentials {
  const own = credentials._getConstructorOptions.bind(credentials);
  credentials._getConstructorOptions = () => ({
    ...own(),
    minVersion,
    // `guardHandshakes` decides about certificates, where they are asked for.
    rejectUnauthorized: false,
    handshakeTimeout: 20_000,
    settings: { initialWindowSize: windowBytes },
  });
  return credentials;
}

/** The oldest version of TLS that is spoken. */
export const minVersion = "TLSv1.2";

/**
 * Sets the window of one connection, from when its session is open until it is over. A larger one counts at once; to a smaller one the other
 * end comes as it sends, since what it was allowed it may use.
 */
export function setConnectionWindow(session: ServerHttp2Session, windowBytes: number): void {
  if (!session.destroyed) session.setLocalWindowSize(windowBytes);
}

/** The HTTP/2 servers inside a bound grpc-js server; they tell of connections and failed handshakes. */
export function http2ServersOf(server: Server): readonly Http2Listener[] {
  const { http2Servers } = server as unknown as { readonly http2Servers: ReadonlyMap<Http2Listener, unknown> };
  return [...http2Servers.keys()];
}

/** What is used of an HTTP/2 server. */
export interface Http2Listener {
  updateSettings(settings: { readonly initialWindowSize: number }): void;
  on(event: "connection", listener: (socket: Socket) => void): this;
  on(event: "session", listener: (session: ServerHttp2Session) => void): this;
  on(event: "tlsClientError", listener: (error: Error, socket: FailedSocket) => void): this;
  on(event: "secureConnection", listener: (socket: TLSSocket) => void): this;
  once(event: "close", listener: () => void): this;
  listeners(event: "secureConnection"): ((this: Http2Listener, socket: TLSSocket) => void)[];
  removeAllListeners(event: "secureConnection"): this;
  /** Certificate, key and roots for the handshakes from now on; the connections that stand are not touched. */
  setSecureContext(options: SecureContextOptions): void;
}

/** The socket of a failed handshake. */
export interface FailedSocket {
  readonly authorizationError?: Error | string | null;
  /** The raw socket under TLS. */
  readonly _parent?: object;
}

/** Options of a grpc-js channel or server for messages and windows. */
export function messageOptions(windowBytes: number, messageBytes: number): { readonly [option: string]: number } {
  return {
    "grpc.max_receive_message_length": messageBytes,
    "grpc.max_send_message_length": messageBytes,
    "grpc-node.flow_control_window": windowBytes,
  };
}

/**
 * Lets a stream of chunks read ahead by `count` messages only. Streams of objects hold 16 by default: 16 MiB for each
 * open transfer, beside the window.
 */
export function limitReadAhead(stream: Readable, count: number): void {
  const { _readableState } = stream as unknown as { readonly _readableState: { highWaterMark: number } };
  _readableState.highWaterMark = count;
}
