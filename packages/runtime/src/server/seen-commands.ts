import { limits } from "@flare-ts/contracts";
import type { VerifiedCommand } from "../admin/signed-command.js";

/**
 * Tells a command from its repetition, for as long as a session lives and in bounded memory: the nonces of the last commands
 * are kept, and a command that was signed before those is taken for a repetition.
 */
export class SeenCommands {
  readonly #max: number;
  /** Nonce to the time of the signature, oldest first. */
  readonly #nonces = new Map<string, number>();
  /** The latest signature of those that are not kept any more. */
  #forgottenUntilMs = Number.NEGATIVE_INFINITY;

  constructor(init: { readonly max?: number } = {}) {
    this.#max = init.max ?? limits.rememberedCommands;
  }

  /** Whether a command is here for the first time; from now on it is not. */
  isFirst({ nonce, issuedAtMs }: Pick<VerifiedCommand, "nonce" | "issuedAtMs">): boolean {
    if (this.#nonces.has(nonce) || issuedAtMs <= this.#forgottenUntilMs) return false;
    this.#nonces.set(nonce, issuedAtMs);
    for (const [oldest, oldestMs] of this.#nonces) {
      if (this.#nonces.size <= this.#max) break;
      this.#nonces.delete(oldest);
      this.#forgottenUntilMs = Math.max(this.#forgottenUntilMs, oldestMs);
    }
    return true;
  }
}
