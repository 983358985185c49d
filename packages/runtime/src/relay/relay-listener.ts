import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from "node:tls";
import type { ConnectionSecurity } from "@flare-ts/contracts";
import { FlareError, limits } from "@flare-ts/contracts/errors";
import { type ProjectTrust, readSubject } from "@flare-ts/provision/kit";
import { errorField, type Logger } from "../logging/logger.js";
import { distrustOf } from "../session/judge-session.js";
import { parseCertificate } from "../session/project-keys.js";
import { refuseClearText } from "../transport/connection-security.js";
import { type FailedSocket, type Http2Listener, minVersion } from "../transport/flow-control.js";
import { guardHandshakes, peerChain } from "../transport/guard-handshakes.js";
import { IncomingGarbage } from "../transport/incoming-garbage.js";
import { refusalOfCertificate } from "../transport/refuse-certificate.js";
import type { ListenerKeys } from "./listener-keys.js";
import { splice } from "./splice.js";
import type { Upstream } from "./upstream.js";

export interface RelayListenerComponents {
  readonly upstream: Pick<Upstream, "open">;
  /** The certificate to show. */
  readonly keys: () => ListenerKeys;
  readonly trust: ProjectTrust;
  readonly logger: Logger;
  /** Somebody was refused in the handshake. */
  readonly onRefused: (address: string, reason: string) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface RelayListenerInit {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly connectionSecurity: ConnectionSecurity;
  readonly isClearAllowed: boolean;
  /** How long after its end a certificate is let through, to be renewed at the server and for nothing else. */
  readonly renewalGraceMs: number;
}

/** For so long whom the server cuts may still hear why. */
const farewellMs = 500;
/** Who may be below a relay; admins connect to the server. */
const rolesBelow = ["client", "relay"];

/**
 * Where sites and other relays connect to a relay. With `mtls` only those get in whom the project trusts; whoever that is, each connection
 * goes on as bytes over one of its own to what is above, and its participant proves itself to the server inside.
 */
export class RelayListener {
  readonly #parts: RelayListenerComponents;
  readonly #init: RelayListenerInit;
  readonly #below = new Set<Below>();
  /** Everything that is open, those in the middle of a handshake included. */
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  readonly #stop = new AbortController();
  readonly #garbage = new IncomingGarbage();

  constructor(components: RelayListenerComponents, init: RelayListenerInit) {
    this.#parts = components;
    this.#init = init;
    this.#server = this.#createServer();
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  /** Binds the port and resolves with the one in use. @throws FlareError `transfer/cannot-listen`, `transfer/clear-refused` */
  async start(): Promise<number> {
    const { host, port, connectionSecurity: security, isClearAllowed } = this.#init;
    refuseClearText("listening on", host, { security, isClearAllowed });
    return await new Promise<number>((resolve, reject) => {
      this.#server.once("error", (cause) => {
        const address = `${host}:${port}`;
        const message = `The relay cannot listen on ${address}: ${cause.message}`;
        reject(new FlareError("transfer/cannot-listen", message, { facts: { address }, cause }));
      });
      this.#server.listen(port, host, () => {
        const bound = this.#server.address();
        resolve(typeof bound === "object" ? (bound?.port ?? port) : port);
      });
    });
  }

  /** Shows the certificate in force, and goes by the roots in force, in handshakes from now on; connections that stand go on. */
  renewTls(): void {
    if (this.#init.connectionSecurity !== "clear") (this.#server as TlsServer).setSecureContext(this.#secureOptions());
  }

  /** Closes the connections of whom the project does not trust any more, a moment later: the server is saying why to those whom it knows. */
  cutUntrusted(): void {
    const { trust, now, logger } = this.#parts;
    for (const below of this.#below) {
      const reason = below.chainPem === "" ? undefined : distrustOf(below.chainPem, { trust, nowMs: now() });
      if (reason === undefined) continue;
      logger.warn("connection is cut", { who: below.name, reason });
      setTimeout(() => below.cut(), farewellMs).unref();
    }
  }

  /** Closes every connection: nothing may come by this relay. */
  cutAll(): void {
    for (const below of this.#below) below.cut();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.cutAll();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #createServer(): Server {
    const { connectionSecurity } = this.#init;
    const take = (socket: Socket): void => void this.#take(socket, connectionSecurity === "mtls" ? peerChain(socket as TLSSocket) : "");
    if (connectionSecurity === "clear") return createTcpServer({ pauseOnConnect: true }, take);
    const server = createTlsServer({ ...this.#secureOptions(), handshakeTimeout: limits.silenceMs, ALPNProtocols: ["h2"] }, take);
    const onRefused = this.#parts.onRefused;
    // Node forgets the address of a socket that it destroys.
    const addresses = new WeakMap<object, string>();
    server.on("connection", (socket) => void addresses.set(socket, addressOf(socket)));
    server.on("tlsClientError", (error, socket: FailedSocket) => {
      onRefused(addresses.get(socket._parent ?? socket) ?? "unknown", error.message);
    });
    if (connectionSecurity === "mtls") {
      const refuse = (chainPem: string): string | undefined => this.#refusalOf(chainPem);
      guardHandshakes(server as unknown as Http2Listener, { refuseExpired: refuse, refuseVerified: refuse }, onRefused);
    }
    return server;
  }

  #secureOptions(): object {
    const { certificatePem: cert, privateKeyPem: key } = this.#parts.keys();
    const { trust } = this.#parts;
    const isMutual = this.#init.connectionSecurity === "mtls";
    // `guardHandshakes` decides about certificates, where they are asked for.
    return { cert, key, minVersion, ...(isMutual ? { ca: trust.rootBundlePem, requestCert: true, rejectUnauthorized: false } : {}) };
  }

  #refusalOf(chainPem: string): string | undefined {
    const { trust, now } = this.#parts;
    const refusal = refusalOfCertificate(chainPem, { trust, nowMs: now(), allowExpiredMs: this.#init.renewalGraceMs, roles: rolesBelow });
    if (refusal !== undefined) return refusal;
    const { commonName, role } = readSubject(parseCertificate(chainPem, "certificate of a connection"));
    // Another relay carries those of others.
    const isFull = role === "client" && [...this.#below].filter(({ name }) => name === commonName).length >= limits.relayConnectionsOfSite;
    return isFull ? `${JSON.stringify(commonName)} has ${limits.relayConnectionsOfSite} connections here` : undefined;
  }

  async #take(socket: Socket, chainPem: string): Promise<void> {
    const { upstream, logger } = this.#parts;
    socket.pause();
    const name = chainPem === "" ? "" : readSubject(parseCertificate(chainPem, "certificate of a connection")).commonName;
    const dialling = new AbortController();
    const leave = (): void => dialling.abort();
    const below: Below = {
      name,
      chainPem,
      cut: () => {
        dialling.abort();
        socket.destroy();
      },
    };
    const fields = { who: name === "" ? undefined : name, address: addressOf(socket) };
    this.#below.add(below);
    socket.on("error", leave);
    socket.once("close", leave);
    try {
      const above = await upstream.open(AbortSignal.any([dialling.signal, this.#stop.signal]));
      below.cut = () => {
        above.destroy();
        socket.destroy();
      };
      logger.info("connection from below", fields);
      splice(socket, above, this.#garbage, () => {
        this.#below.delete(below);
        logger.info("connection from below is over", { ...fields, upBytes: socket.bytesRead, downBytes: socket.bytesWritten });
      });
    } catch (error) {
      this.#below.delete(below);
      socket.destroy();
      if (!dialling.signal.aborted && !this.#stop.signal.aborted)
        logger.warn("what is above cannot be reached", { ...fields, error: errorField(error) });
    }
  }
}

/** A connection from below. */
interface Below {
  /** Common name of its certificate; empty where none is asked for. */
  readonly name: string;
  /** Its certificate with those that it sent along; PEM. Empty likewise. */
  readonly chainPem: string;
  cut: () => void;
}

function addressOf({ remoteAddress = "unknown", remotePort = 0 }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}
