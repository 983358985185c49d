import { FlareError } from "@flare-ts/contracts";
import type { Audit, AuthEvent, WhereFrom } from "./auth-event.js";
import type { PeerConnection } from "./connection-binding.js";
import { capPeerText } from "./peer-text.js";

type RefusedStep = Extract<AuthEvent, { kind: "refused" }>["step"];

/** Tells the audit of what an authenticator does. */
export class AuthAudit {
  readonly #audit: Audit;

  constructor(components: { readonly audit: Audit }) {
    this.#audit = components.audit;
  }

  write(event: AuthEvent): void {
    this.#audit(event);
  }

  /** Does something that may be refused; a refusal is recorded. @param claimed the name that the peer claims, as far as it is known by then */
  refusals<Result>(
    step: RefusedStep,
    connection: PeerConnection,
    claimed: string | (() => string | undefined),
    action: () => Result,
  ): Result {
    try {
      return action();
    } catch (reason) {
      const error = FlareError.from(reason);
      const name = typeof claimed === "string" ? claimed : claimed();
      this.#audit({
        kind: "refused",
        step,
        code: error.code,
        reason: error.message,
        ...whereFrom(connection),
        ...(name === undefined ? {} : { claimedName: capPeerText(name) }),
      });
      throw error;
    }
  }
}

/** Where a connection comes from, as the audit has it. */
export function whereFrom({ address, relay, claimedAddress }: PeerConnection): WhereFrom {
  return {
    address,
    ...(relay === undefined ? {} : { relay: relay.name }),
    ...(claimedAddress === undefined ? {} : { claimedAddress }),
  };
}
