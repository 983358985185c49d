import { FlareError } from "@flare-ts/contracts";

/** The passphrase of the CA's key, in memory only. */
export class CaPassphrase {
  #passphrase: string | undefined;
  /** Whether the dashboard was started with it. */
  readonly isGiven: boolean;

  constructor(init: { readonly passphrase?: string | undefined }) {
    this.#passphrase = init.passphrase;
    this.isGiven = init.passphrase !== undefined;
  }

  /** Whether it is there. */
  get isKnown(): boolean {
    return this.#passphrase !== undefined;
  }

  /** Keeps a passphrase that was found right. */
  set(passphrase: string): void {
    this.#passphrase = passphrase;
  }

  /** Forgets it. */
  forget(): void {
    this.#passphrase = undefined;
  }

  /**
   * The passphrase as the workspace wants it.
   *
   * @throws FlareError `dashboard/ca-locked`
   */
  caKey(): { readonly passphrase: string } {
    if (this.#passphrase !== undefined) return { passphrase: this.#passphrase };
    throw new FlareError("dashboard/ca-locked", "The CA is locked: since the dashboard started nobody has given its passphrase.");
  }
}
