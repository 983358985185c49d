import { randomUUID } from "node:crypto";
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { FlareError } from "@flare-ts/contracts";
import { readSubject } from "@flare-ts/provision/kit";
import type { PeerConnection, PeerRelay } from "../session/connection-binding.js";
import { fingerprintOf } from "../session/project-keys.js";
import { type Http2Listener, setConnectionWindow } from "./flow-control.js";
import { peerChain } from "./guard-handshakes.js";
import { UploadWindows } from "./upload-windows.js";

export interface ServerConnectionsComponents {
  /** A connection and everything on it is over. */
  readonly onClosed: (connectionId: string) => void;
  /** A TLS handshake failed: nothing of ours was asked. */
  readonly onTlsRefused: (address: string, reason: string) => void;
}

/** The live network connections of a server, by the address that grpc-js gives for a call. */
export class ServerConnections {
  readonly #components: ServerConnectionsComponents;
  readonly #windows: UploadWindows<ServerHttp2Session>;
  readonly #byAddress = new Map<string, LiveConnection>();
  /** Raw sockets with their addresses, which Node forgets when it destroys one. */
  readonly #sockets = new Set<Socket>();
  readonly #addresses = new WeakMap<object, string>();

  constructor(components: ServerConnectionsComponents, init: { readonly windowBytes: number }) {
    this.#components = components;
    this.#windows = new UploadWindows({ setWindow: setConnectionWindow }, { mostBytes: init.windowBytes });
  }

  /** Follows the connections of a listener; to be called before it can have any. */
  follow(listener: Http2Listener): void {
    listener.on("connection", (socket) => {
      this.#sockets.add(socket);
      this.#addresses.set(socket, addressOf(socket.remoteAddress, socket.remotePort));
      socket.once("close", () => this.#sockets.delete(socket));
    });
    listener.on("session", (session) => this.#opened(session));
    listener.on("tlsClientError", (error, socket) => {
      // Node destroys the socket of a refused certificate; why stands on the socket, not in the error.
      const reason = socket.authorizationError ?? error;
      const address = this.#addresses.get(socket._parent ?? socket) ?? "unknown";
      this.#components.onTlsRefused(address, reason instanceof Error ? reason.message : reason);
    });
  }

  /**
   * The connection that a call came on.
   *
   * @throws FlareError `transfer/disconnected` when it is closed by now
   */
  of(address: string): PeerConnection {
    const live = this.#byAddress.get(address);
    if (live === undefined) throw new FlareError("transfer/disconnected", "The connection of the call is closed.");
    return live.peer;
  }

  /** An upload begins on a connection, which gets the room for it; what is given back is to be called when it ends. */
  uploadBegins(address: string): () => void {
    const live = this.#byAddress.get(address);
    return live === undefined ? () => undefined : this.#windows.begin(live.session);
  }

  /** Bytes that have come in on a connection so far. */
  heardBytes(connectionId: string): number {
    for (const { peer, session } of this.#byAddress.values()) if (peer.id === connectionId) return session.socket?.bytesRead ?? 0;
    return 0;
  }

  /** Closes a connection: what is written still goes out, but for no longer than half a second. */
  close(connectionId: string): void {
    for (const { peer, session } of this.#byAddress.values()) {
      if (peer.id !== connectionId) continue;
      const timer = setTimeout(() => session.destroy(), flushMs);
      session.once("close", () => clearTimeout(timer));
      session.close();
    }
  }

  /** Cuts whatever is still connected. */
  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #opened(session: ServerHttp2Session): void {
    const { socket } = session;
    const address = addressOf(socket?.remoteAddress, socket?.remotePort);
    const tls = socket as TLSSocket | undefined;
    const [fingerprint, serverFingerprint] = tls === undefined ? [] : fingerprintsOf(tls);
    const relay = tls === undefined ? undefined : relayOf(tls);
    const peer: PeerConnection = { id: randomUUID(), address, fingerprint, serverFingerprint, relay };
    this.#byAddress.set(address, { peer, session });
    this.#windows.open(session);
    session.once("close", () => {
      if (this.#byAddress.get(address)?.peer === peer) this.#byAddress.delete(address);
      this.#components.onClosed(peer.id);
    });
  }
}

const flushMs = 500;

interface LiveConnection {
  readonly peer: PeerConnection;
  readonly session: ServerHttp2Session;
}

function addressOf(host: string | undefined, port: number | undefined): string {
  if (host === undefined) return "unknown";
  return port === undefined ? host : `${host}:${port}`;
}

/** Of the peer's certificate and of the one that it was shown; nothing without TLS. */
function fingerprintsOf(socket: TLSSocket): readonly (string | undefined)[] {
  // Not getPeerCertificate: Node 24 crashes in it on a certificate whose key cannot be decoded.
  if (typeof socket.getPeerX509Certificate !== "function") return [];
  return [socket.getPeerX509Certificate(), socket.getX509Certificate()].map((certificate) => certificate && fingerprintOf(certificate));
}

/** The relay whose certificate a handshake showed. */
function relayOf(socket: TLSSocket): PeerRelay | undefined {
  const certificate = typeof socket.getPeerX509Certificate === "function" ? socket.getPeerX509Certificate() : undefined;
  if (certificate === undefined) return undefined;
  const { commonName: name, role } = readSubject(certificate);
  return role === "relay" ? { name, chainPem: peerChain(socket) } : undefined;
}
