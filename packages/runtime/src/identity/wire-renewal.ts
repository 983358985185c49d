import { FlareError, Turns } from "@flare-ts/contracts";
import type { RenewReply } from "@flare-ts/contracts/wire";
import type { TrustKeeper } from "@flare-ts/provision/kit";
import { readProjectKeys } from "../session/project-keys.js";
import type { Connection } from "../transport/connection.js";
import { type DialServerInit, dialForRenewal, dialServer } from "../transport/dial-server.js";
import type { RenewalOutcome } from "./certificate-renewal.js";
import type { OpenedIdentity } from "./open-live-identity.js";
import { type RenewalAnswer, renewIdentity } from "./renew-identity.js";

export interface WireRenewalComponents extends OpenedIdentity {
  readonly keeper: TrustKeeper;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The connection that stands, if there is one. */
  readonly live: () => Connection | undefined;
}

/** By so much the server's clock may be ahead where a certificate has ended for it and not yet here. */
const clockDifferenceMs = 60_000;

/** How a site or an admin renews its certificate: over the connection that it has, or over one that is made for it. */
export class WireRenewal {
  readonly #parts: WireRenewalComponents;
  readonly #target: Omit<DialServerInit, "keys">;
  readonly #turns = new Turns();

  constructor(components: WireRenewalComponents, init: { readonly target: Omit<DialServerInit, "keys"> }) {
    this.#parts = components;
    this.#target = init.target;
  }

  /** Asks once for the next certificate; when it comes, it is in force, and the session goes on under it. */
  readonly ask = async (signal?: AbortSignal): Promise<RenewalOutcome> => {
    return await this.#turns.take(async () => await this.#askOnce(signal));
  };

  /**
   * Connects and registers; a certificate that has ended is renewed first, also one that has ended on the way or by the server's clock.
   *
   * @throws FlareError `auth/renewal-too-late`, `auth/renewal-pending`, and what `dialServer` throws
   */
  async dial(signal?: AbortSignal): Promise<Connection> {
    const init = { ...this.#target, keys: this.#parts.identity };
    if (this.#endsWithin(0) && (await this.ask(signal)) === "pending") {
      const { validTo } = this.#parts.identity.certificate;
      throw new FlareError(
        "auth/renewal-pending",
        "The certificate has ended, and its renewal waits to be signed by the project's administrator.",
        { facts: { validTo } },
      );
    }
    try {
      return await dialServer(init, signal);
    } catch (reason) {
      const mayHaveEnded = FlareError.from(reason).code.startsWith("auth/") && this.#endsWithin(clockDifferenceMs);
      if (!mayHaveEnded || (await this.ask(signal)) === "pending") throw reason;
    }
    return await dialServer(init, signal);
  }

  #endsWithin(ms: number): boolean {
    const { identity, now } = this.#parts;
    return now() + ms > Date.parse(identity.certificate.validTo);
  }

  async #askOnce(signal?: AbortSignal): Promise<RenewalOutcome> {
    const { keeper, live } = this.#parts;
    const outcome = await renewIdentity({
      ...this.#parts,
      trust: keeper.trust,
      readKeys: (stored) => readProjectKeys(stored, keeper.trust),
      ask: async (csrPem) => this.#answerOf(await this.#send(csrPem, signal)),
    });
    if (outcome === "renewed") await live()?.registerAgain();
    return outcome;
  }

  async #send(csrPem: string, signal?: AbortSignal): Promise<RenewReply> {
    const { identity, live, now } = this.#parts;
    const connection = live();
    if (connection !== undefined) return await connection.renewCertificate(csrPem, signal);
    try {
      return await dialForRenewal({ ...this.#target, keys: identity }, csrPem, signal);
    } catch (reason) {
      const error = FlareError.from(reason);
      const { validTo } = identity.certificate;
      // A server that does not renew a certificate any more refuses it in TLS, without a word.
      if (error.code !== "auth/tls-refused" || now() <= Date.parse(validTo)) throw error;
      throw new FlareError("auth/renewal-too-late", `The certificate ended on ${validTo}, and the server does not renew it any more.`, {
        facts: { ...error.facts, validTo },
        cause: error,
      });
    }
  }

  async #answerOf({ certificate, isPending, trustList }: RenewReply): Promise<RenewalAnswer> {
    const { keeper } = this.#parts;
    // Before the certificate, which may come from a new root. A list that is refused says so where lists are taken.
    if (trustList !== "") {
      try {
        keeper.accept(trustList);
      } catch {
        return { certificatePem: isPending ? undefined : certificate };
      }
      await keeper.save();
    }
    return { certificatePem: isPending ? undefined : certificate };
  }
}
