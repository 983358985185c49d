import { Metadata } from "@grpc/grpc-js";
import type { SessionTicket } from "../session/register-session.js";
import { proofKey } from "./proof-key.js";
import { tokenKey } from "./token-key.js";

/** What a participant's calls carry: the token that is in force and, where calls are proven one by one, a proof for each. */
export class CallCredentials {
  #ticket: SessionTicket;

  constructor(init: { readonly ticket: SessionTicket }) {
    this.#ticket = init.ticket;
  }

  /** From now on calls carry the token of this ticket. */
  renew(ticket: SessionTicket): void {
    this.#ticket = ticket;
  }

  /** Metadata of one call; `body` is its request where that is a single message. */
  readonly metadataOf = (method: string, body: Uint8Array | undefined): Metadata => {
    const { token, prover, sessionId } = this.#ticket;
    const metadata = new Metadata();
    metadata.set(tokenKey, `Bearer ${token}`);
    if (prover !== undefined) metadata.set(proofKey, prover.prove({ sessionId, method, body }));
    return metadata;
  };
}
