import { FlareError } from "@flare-ts/contracts";
import type { Identity } from "./identity.js";

/** What the transport knows of the network connection that a call came on. */
export interface PeerConnection {
  /** Names the connection while the server runs; never used twice. */
  readonly id: string;
  /** Address and port of the peer, for logs. */
  readonly address: string;
  /** SHA-256 of the certificate of the TLS handshake, lower-case hexadecimal; `undefined` when TLS ended at a proxy. */
  readonly fingerprint: string | undefined;
  /** SHA-256 of the certificate that the server showed in the handshake; `undefined` as above. */
  readonly serverFingerprint?: string | undefined;
  /** The relay whose certificate the handshake showed: whoever calls is somewhere behind it, or is the relay itself. */
  readonly relay?: PeerRelay | undefined;
  /** Where a proxy says that the peer is; not proven, for the audit log only. */
  readonly claimedAddress?: string;
}

/** A relay as its connections show it. */
export interface PeerRelay {
  readonly name: string;
  /** Its certificate, with those that stand between it and a root; PEM. */
  readonly chainPem: string;
}

/** Decides what ties a session to its participant beyond the token, so that a copied token is worth nothing. */
export interface ConnectionBinding {
  /** Whether challenges and sessions belong to no connection, as a proxy spreads calls over connections as it likes. */
  readonly isPerCall: boolean;
  /** Whether each call on a connection carries its own proof. */
  isProven(connection: PeerConnection): boolean;
  /** Whether the certificate that is being registered may be registered on this connection. */
  mayRegister(identity: Identity, connection: PeerConnection): boolean;
  /** Whether a call on `connection` may use a session that was registered on `registeredOn`. */
  mayUse(registeredOn: PeerConnection, connection: PeerConnection): boolean;
}

/**
 * For TLS that ends here: certificate and connection of the handshake are those of the session. On the connection of a relay, whose
 * certificate is not that of the session, every call proves itself besides.
 */
export class MutualTlsBinding implements ConnectionBinding {
  readonly isPerCall = false;

  isProven({ relay }: PeerConnection): boolean {
    return relay !== undefined;
  }

  mayRegister(identity: Identity, connection: PeerConnection): boolean {
    return this.isProven(connection) || connection.fingerprint === identity.fingerprint;
  }

  mayUse(registeredOn: PeerConnection, connection: PeerConnection): boolean {
    return registeredOn.id === connection.id && registeredOn.fingerprint === connection.fingerprint;
  }
}

/** For TLS that ends at a proxy, which spreads calls over connections as it likes: every call proves itself. */
export class CallProofBinding implements ConnectionBinding {
  readonly isPerCall = true;

  isProven(): boolean {
    return true;
  }

  mayRegister(): boolean {
    return true;
  }

  mayUse(): boolean {
    return true;
  }
}

/** The error for a session that is used from elsewhere. */
export function notYours(name: string, registeredOn: PeerConnection, connection: PeerConnection): FlareError {
  return new FlareError("auth/token-not-yours", `The token of ${JSON.stringify(name)} was issued on another connection.`, {
    facts: { name, registeredFrom: registeredOn.address, usedFrom: connection.address },
  });
}
