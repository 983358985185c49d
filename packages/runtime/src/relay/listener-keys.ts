import { X509Certificate } from "node:crypto";
import type { KitListening } from "@flare-ts/provision/kit";
import type { LiveIdentity } from "../identity/live-identity.js";

/** A certificate with its chain, and its key; PEM. */
export interface ListenerKeys {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/**
 * What a relay shows to those who dial it: the certificate that its kit has for that, until the relay got a later one by renewal that
 * carries the same names. The kit's own is renewed by nobody.
 */
export function listenerKeysOf(listening: KitListening, identity: LiveIdentity, nowMs: number): ListenerKeys {
  const renewed = identity.forHandshakes(nowMs);
  const isFor = (host: string): boolean => (renewed.certificate.checkHost(host) ?? renewed.certificate.checkIP(host)) !== undefined;
  const isLater = Date.parse(renewed.certificate.validTo) > Date.parse(new X509Certificate(listening.certificatePem).validTo);
  return isLater && listening.hosts.every(isFor) ? renewed : listening;
}
