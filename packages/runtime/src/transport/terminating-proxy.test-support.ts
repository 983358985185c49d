import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";

/** One call with a single request, as it goes over the wire. */
export interface CapturedCall {
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  /** The request with the five bytes of gRPC before it. */
  readonly body: Buffer;
}

export interface TerminatingProxyInit {
  /** Certificate and key that the proxy shows; PEM. */
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** Where the server is, and whether the proxy speaks TLS to it. */
  readonly upstream: { readonly port: number; readonly isTls: boolean };
  /** Changes calls on their way in. */
  readonly onCall?: (call: CapturedCall) => CapturedCall;
  /** Changes replies to such calls, the five bytes of gRPC included. */
  readonly onReply?: (path: string, body: Buffer) => Buffer;
}

/**
 * A real proxy that ends TLS with its own certificate and speaks HTTP/2 to the server. It has two connections to the
 * server: it spreads the calls of each client over both, and all clients share them.
 */
export class TerminatingProxy {
  /** Every call with a single request that went through, as the client sent it. */
  readonly captured: CapturedCall[] = [];
  readonly #init: TerminatingProxyInit;
  readonly #server: Http2SecureServer;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #upstreams: (ClientHttp2Session | undefined)[] = [undefined, undefined];
  #turn = 0;
  #openCalls = 0;

  constructor(init: TerminatingProxyInit) {
    this.#init = init;
    this.#server = createSecureServer({ cert: init.certificatePem, key: init.privateKeyPem, settings: { initialWindowSize: windowBytes } });
    this.#server.on("session", (session) => {
      session.setLocalWindowSize(windowBytes);
      this.#sessions.add(session);
      session.once("close", () => this.#sessions.delete(session));
    });
    this.#server.on("sessionError", () => undefined);
    this.#server.on("stream", (stream, headers) => void this.#forward(stream, headers));
  }

  async start(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new TypeError("a TCP server has an address with a port");
    return address.port;
  }

  /** Connections to the server that are open. */
  get upstreamCount(): number {
    return this.#upstreams.filter((session) => session?.closed === false).length;
  }

  /** Calls that the server has not ended. */
  get openCalls(): number {
    return this.#openCalls;
  }

  /** Makes a captured call again, byte for byte, on the proxy's own connection or on a fresh one; gives the code of the error. */
  async replay(call: CapturedCall, where: "same connection" | "another connection"): Promise<string> {
    const session = where === "same connection" ? this.#nextUpstream() : this.#dial();
    try {
      const stream = session.request(call.headers);
      stream.end(call.body);
      return await codeOf(stream);
    } finally {
      if (where === "another connection") session.close();
    }
  }

  /** Cuts the connections to the server; the next call makes new ones. */
  cutUpstreams(): void {
    for (const session of this.#upstreams) session?.destroy();
  }

  async stop(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    this.cutUpstreams();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #forward(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    stream.on("error", () => undefined);
    const path = headers[":path"] ?? "";
    const forwarded = { ...headers, "x-forwarded-for": headers["x-forwarded-for"] ?? "203.0.113.7" };
    if (!unaryPaths.test(path)) {
      const up = this.#open(stream, forwarded);
      stream.pipe(up);
      return;
    }
    const body = await bodyOf(stream).catch(() => undefined);
    if (body === undefined) return;
    const call = { path, headers: forwarded, body };
    this.captured.push(call);
    const changed = this.#init.onCall?.(call) ?? call;
    this.#open(stream, changed.headers).end(changed.body);
  }

  #open(stream: ServerHttp2Stream, headers: OutgoingHttpHeaders): ClientHttp2Stream {
    const up = this.#nextUpstream().request(headers);
    let trailers: IncomingHttpHeaders = {};
    this.#openCalls += 1;
    up.once("close", () => {
      this.#openCalls -= 1;
    });
    up.on("error", () => undefined);
    up.on("trailers", (sent) => {
      trailers = sent;
    });
    up.on("response", (response, flags) => {
      if (stream.destroyed) return;
      if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) {
        up.resume();
        stream.respond(response, { endStream: true });
        return;
      }
      stream.on("wantTrailers", () => stream.sendTrailers(trailers));
      stream.respond(response, { waitForTrailers: true });
      const path = headers[":path"];
      const { onReply } = this.#init;
      if (onReply !== undefined && typeof path === "string" && unaryPaths.test(path))
        void bodyOf(up).then(
          (body) => stream.end(onReply(path, body)),
          () => undefined,
        );
      else up.pipe(stream);
    });
    stream.once("close", () => {
      if (!up.closed) up.close(constants.NGHTTP2_CANCEL);
    });
    up.once("close", () => {
      if (!up.readableEnded || up.rstCode !== constants.NGHTTP2_NO_ERROR) stream.close(up.rstCode || constants.NGHTTP2_CANCEL);
    });
    return up;
  }

  #nextUpstream(): ClientHttp2Session {
    this.#turn = (this.#turn + 1) % this.#upstreams.length;
    const open = this.#upstreams[this.#turn];
    if (open !== undefined && !open.closed && !open.destroyed) return open;
    const session = this.#dial();
    this.#upstreams[this.#turn] = session;
    return session;
  }

  #dial(): ClientHttp2Session {
    const { port, isTls } = this.#init.upstream;
    const session = connect(`${isTls ? "https" : "http"}://localhost:${port}`, {
      rejectUnauthorized: false,
      settings: { initialWindowSize: windowBytes },
    });
    session.on("error", () => undefined);
    session.once("connect", () => session.setLocalWindowSize(windowBytes));
    return session;
  }
}

const windowBytes = 1 << 20;
const unaryPaths = /\/(Challenge|Register|Renew|End|SubmitUpdate|Stat|Execute)$/;

async function bodyOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

/** The code of the error that ends a call, `good` where there is none. */
async function codeOf(stream: ClientHttp2Stream): Promise<string> {
  return await new Promise((resolve, reject) => {
    const look = (headers: IncomingHttpHeaders): void => {
      const { "flare-error-bin": sent, "grpc-status": status } = headers;
      if (typeof sent === "string") resolve((JSON.parse(Buffer.from(sent, "base64").toString("utf8")) as { code: string }).code);
      else if (typeof status === "string") resolve(status === "0" ? "good" : `grpc ${status}`);
    };
    stream.on("response", look);
    stream.on("trailers", look);
    stream.once("error", reject);
    stream.resume();
  });
}
