import type { FastifyReply, FastifyRequest } from "fastify";
import { isSameSecret, type RandomBytes } from "../secrets/tokens.js";
import type { Vault } from "../secrets/vault.js";

/** A browser that was not used for so long is as good as a stranger's. */
const lastsMs = 180 * 24 * 3_600_000;

/** People who share one browser: the one who has been away longest makes room. */
const mostPeople = 5;

interface Entry {
  /** When it was given, in base 36. */
  readonly since: string;
  readonly nonce: string;
  readonly mac: string;
}

/**
 * Knows the browsers in which somebody has signed in before, by a cookie that names nobody and lets nobody in: attempts from such a browser
 * are counted by themselves, so that a stranger's wrong passwords do not keep its owner out.
 *
 * @see https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
 */
export class DeviceCookie {
  readonly #vault: Vault;
  readonly #now: () => number;
  readonly #randomBytes: RandomBytes;
  readonly #isSecure: boolean;
  readonly name: string;

  constructor(
    components: { readonly vault: Vault; readonly now: () => number; readonly randomBytes: RandomBytes },
    init: { readonly isSecure: boolean },
  ) {
    this.#vault = components.vault;
    this.#now = components.now;
    this.#randomBytes = components.randomBytes;
    this.#isSecure = init.isSecure;
    this.name = init.isSecure ? "__Host-flare-device" : "flare-device";
  }

  /** What attempts of a browser for an account are counted by, where the account's holder has signed in there before. */
  find(request: FastifyRequest, email: string): string | undefined {
    return this.#read(request).find((entry) => this.#isOf(entry, email))?.nonce;
  }

  /** Remembers a browser in which an account's holder has signed in just now. */
  remember(request: FastifyRequest, reply: FastifyReply, email: string): void {
    const since = this.#now().toString(36);
    const nonce = Buffer.from(this.#randomBytes(16)).toString("base64url");
    const others = this.#read(request).filter((entry) => !this.#isOf(entry, email));
    const entries = [{ since, nonce, mac: this.#mac(email, since, nonce) }, ...others].slice(0, mostPeople);
    reply.setCookie(this.name, entries.map((entry) => `${entry.since}.${entry.nonce}.${entry.mac}`).join("~"), {
      path: "/",
      httpOnly: true,
      secure: this.#isSecure,
      sameSite: "strict",
      maxAge: lastsMs / 1000,
    });
  }

  #read(request: FastifyRequest): readonly Entry[] {
    const text = request.cookies[this.name] ?? "";
    return text.split("~", mostPeople).flatMap((part) => {
      const [, since, nonce, mac] = /^([0-9a-z]{1,11})\.([\w-]{22})\.([\w-]{43})$/.exec(part) ?? [];
      return since === undefined || nonce === undefined || mac === undefined ? [] : [{ since, nonce, mac }];
    });
  }

  #isOf({ since, nonce, mac }: Entry, email: string): boolean {
    const isFresh = this.#now() - Number.parseInt(since, 36) < lastsMs;
    return isFresh && isSameSecret(mac, this.#mac(email, since, nonce));
  }

  #mac(email: string, since: string, nonce: string): string {
    return this.#vault.mac("device", `${email} ${since} ${nonce}`);
  }
}
