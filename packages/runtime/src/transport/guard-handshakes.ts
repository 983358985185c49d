import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { limits } from "@flare-ts/contracts";
import type { Http2Listener } from "./flow-control.js";

/** What is asked about the certificate of a handshake. */
export interface PeerJudge {
  /** Why a certificate that OpenSSL accepts is refused all the same; `undefined` when it is not. */
  refuseGood(chainPem: string): string | undefined;
  /** The same for one that OpenSSL refuses for its dates alone. */
  refuseExpired(chainPem: string): string | undefined;
}

/**
 * Decides about the certificates of a server's handshakes in the place of Node, which knows no exception: a certificate that has
 * expired may still be good for its renewal. A connection whose certificate is refused is closed before a byte of it is read.
 * The server must ask for certificates and not reject by itself; to be called before the listener can have connections.
 */
export function guardHandshakes(listener: Http2Listener, judge: PeerJudge, onRefused: (socket: TLSSocket, reason: string) => void): void {
  const accept = listener.listeners("secureConnection");
  listener.removeAllListeners("secureConnection");
  listener.on("secureConnection", (socket) => {
    const reason = refusalOf(socket, judge);
    if (reason === undefined) {
      for (const listen of accept) listen.call(listener, socket);
      return;
    }
    // A peer that goes on sending gets a reset, which nobody needs to hear of.
    socket.on("error", () => undefined);
    socket.destroy();
    onRefused(socket, reason);
  });
}

/** A peer's certificate followed by those that it sent along; PEM. `undefined` when it sent none. */
export function peerChainPem(socket: Socket): string | undefined {
  const { getPeerX509Certificate } = socket as Partial<TLSSocket>;
  // Not getPeerCertificate: Node 24 crashes in it on a certificate whose key cannot be decoded.
  if (typeof getPeerX509Certificate !== "function") return undefined;
  const chain: string[] = [];
  let next: X509Certificate | undefined = getPeerX509Certificate.call(socket);
  while (next !== undefined && chain.length < limits.chainCertificates) {
    const pem = next.toString();
    if (chain.includes(pem)) break;
    chain.push(pem);
    next = next.issuerCertificate;
  }
  return chain.length === 0 ? undefined : chain.join("");
}

function refusalOf(socket: TLSSocket, judge: PeerJudge): string | undefined {
  const chain = peerChainPem(socket);
  const error: Error | string | null = socket.authorizationError;
  const reason = error instanceof Error ? error.message : error;
  if (chain === undefined) return reason ?? "peer did not return a certificate";
  if (socket.authorized) return judge.refuseGood(chain);
  if (reason !== expired) return reason ?? "certificate was not verified";
  const refusal = judge.refuseExpired(chain);
  return refusal === undefined ? undefined : `${expired}: ${refusal}`;
}

const expired = "CERT_HAS_EXPIRED";
