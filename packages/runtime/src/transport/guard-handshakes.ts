import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { limits } from "@flare-ts/contracts";
import type { Http2Listener } from "./flow-control.js";

/** Decides about chains of certificates (PEM): each answers why one is refused, or `undefined` where it is not. */
export interface HandshakeJudge {
  /** Of one that is past its dates, and good in every other respect that TLS knows of. */
  readonly refuseExpired: (chainPem: string) => string | undefined;
  /** Of one that TLS found good. @default none is refused */
  readonly refuseVerified?: (chainPem: string) => string | undefined;
}

/**
 * Decides about the certificates of a server's handshakes in the place of Node, which knows no exception: one that OpenSSL refuses
 * for its dates alone may still be good for its renewal. A connection that is refused is closed before a byte of it is read. The
 * server must ask for certificates and not reject by itself; to be called before the listener can have connections.
 *
 * @param onRefused hears of each refusal
 */
export function guardHandshakes(
  listener: Http2Listener,
  judge: HandshakeJudge,
  onRefused: (address: string, reason: string) => void,
): void {
  const accept = listener.listeners("secureConnection");
  listener.removeAllListeners("secureConnection");
  listener.on("secureConnection", (socket) => {
    const reason = refusalOf(socket, judge);
    if (reason === undefined) {
      for (const listen of accept) listen.call(listener, socket);
      return;
    }
    const address = `${socket.remoteAddress ?? "unknown"}:${socket.remotePort ?? 0}`;
    // A peer that goes on sending gets a reset, which nobody needs to hear of.
    socket.on("error", () => undefined);
    socket.destroy();
    onRefused(address, reason);
  });
}

function refusalOf(socket: TLSSocket, { refuseExpired, refuseVerified }: HandshakeJudge): string | undefined {
  const chain = peerChain(socket);
  const error: Error | string | null | undefined = socket.authorizationError;
  const reason = error instanceof Error ? error.message : error;
  if (chain === "") return "peer did not return a certificate";
  if (socket.authorized) return refuseVerified?.(chain);
  if (reason !== expired) return reason ?? "certificate was not verified";
  const refusal = refuseExpired(chain);
  return refusal === undefined ? undefined : `${expired}: ${refusal}`;
}

const expired = "CERT_HAS_EXPIRED";

/** The peer's certificate and those that it sent along; PEM. Empty where it showed none. */
export function peerChain(socket: TLSSocket): string {
  const chain: string[] = [];
  // Not getPeerCertificate: Node 24 crashes in it on a certificate whose key cannot be decoded.
  let next: X509Certificate | undefined = socket.getPeerX509Certificate();
  while (next !== undefined && chain.length < limits.chainCertificates) {
    const pem = next.toString();
    if (chain.includes(pem)) break;
    chain.push(pem);
    next = next.issuerCertificate;
  }
  return chain.join("");
}
