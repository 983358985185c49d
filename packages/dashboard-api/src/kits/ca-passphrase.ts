import { FlareError } from "@flare-ts/contracts";
import type { SealingPassphrase } from "@flare-ts/provision";

/** The passphrase of the CA's key, in memory only. */
export class CaPassphrase {
  #caKey: SealingPassphrase | undefined;
  /** Whether the dashboard was started with it. */
  readonly isGiven: boolean;

  constructor(init: { readonly passphrase?: string | undefined }) {
    this.#caKey = init.passphrase === undefined ? undefined : sealingPassphrase(init.passphrase);
    this.isGiven = init.passphrase !== undefined;
  }

  /** Whether it is there. */
  get isKnown(): boolean {
    return this.#caKey !== undefined;
  }

  /** Keeps a passphrase that was found right. */
  set(caKey: SealingPassphrase): void {
    this.#caKey = caKey;
  }

  /** Forgets it. */
  forget(): void {
    this.#caKey = undefined;
  }

  /**
   * The passphrase as the workspace wants it.
   *
   * @throws FlareError `dashboard/ca-locked`
   */
  caKey(): SealingPassphrase {
    if (this.#caKey !== undefined) return this.#caKey;
    throw new FlareError("dashboard/ca-locked", "The CA is locked: since the dashboard started nobody has given its passphrase.");
  }
}

/** A passphrase as the workspace wants it, with room for what is slow to make of it. */
export function sealingPassphrase(passphrase: string): SealingPassphrase {
  return { passphrase, derivedKeys: new Map() };
}
