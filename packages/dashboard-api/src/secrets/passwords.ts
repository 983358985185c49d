import { type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";
import { FlareError } from "@flare-ts/contracts";
import type { RandomBytes } from "./tokens.js";

/** Cost of one hash: 2^logN blocks of 128 × r bytes, p times one after another. */
export interface ScryptCost {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/** 128 MiB and about half a second: OWASP's first choice for scrypt. */
export const defaultScryptCost: ScryptCost = { logN: 17, r: 8, p: 1 };

/** Hashes and checks passwords by scrypt (RFC 7914), a few at a time: each takes 128 MiB and a core. */
export class Passwords {
  readonly #randomBytes: RandomBytes;
  readonly #cost: ScryptCost;
  readonly #atOnce: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(
    components: { readonly randomBytes: RandomBytes },
    init: { readonly cost: ScryptCost; readonly atOnce: number; readonly maxWaiting: number },
  ) {
    this.#randomBytes = components.randomBytes;
    this.#cost = init.cost;
    this.#atOnce = init.atOnce;
    this.#maxWaiting = init.maxWaiting;
  }

  /**
   * Hashes a password; the result names its cost, so that a later cost does not make it useless.
   *
   * @throws FlareError `dashboard/busy` when too many wait already
   */
  async hash(password: string): Promise<string> {
    const { logN, r, p } = this.#cost;
    const salt = this.#randomBytes(16);
    const hash = await this.#derive(password, salt, this.#cost);
    return `$scrypt$ln=${logN},r=${r},p=${p}$${Buffer.from(salt).toString("base64url")}$${hash.toString("base64url")}`;
  }

  /**
   * Whether a password belongs to a hash. Without a hash it takes as long and says no: how long an answer takes must not
   * tell whether there is an account.
   *
   * @throws FlareError `dashboard/busy` when too many wait already
   */
  async verify(password: string, hash: string | null | undefined): Promise<boolean> {
    const parts = hash === null || hash === undefined ? undefined : partsOf(hash);
    const { cost, salt, expected } = parts ?? { cost: this.#cost, salt: new Uint8Array(16), expected: Buffer.alloc(32) };
    const derived = await this.#derive(password, salt, cost);
    return timingSafeEqual(derived, expected) && parts !== undefined;
  }

  async #derive(password: string, salt: Uint8Array, cost: ScryptCost): Promise<Buffer> {
    await this.#enter();
    try {
      return await derive(password.normalize("NFC"), salt, cost);
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < this.#atOnce) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.length >= this.#maxWaiting) {
      throw new FlareError("dashboard/busy", "Too many people sign in at this moment.", { facts: { retryAfterMs: 2000 } });
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Hands the place on, so that nobody who comes in between takes it. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}

function derive(password: string, salt: Uint8Array, { logN, r, p }: ScryptCost): Promise<Buffer> {
  const N = 2 ** logN;
  const options: ScryptOptions = { N, r, p, maxmem: 128 * N * r * p + 1024 * 1024 };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, 32, options, (reason, key) => (reason === null ? resolve(key) : reject(reason)));
  });
}

function partsOf(hash: string): { cost: ScryptCost; salt: Buffer; expected: Buffer } | undefined {
  const match = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([\w-]+)\$([\w-]{43})$/.exec(hash);
  if (match === null) return undefined;
  const [, logN, r, p, salt = "", expected = ""] = match;
  return {
    cost: { logN: Number(logN), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, "base64url"),
    expected: Buffer.from(expected, "base64url"),
  };
}
