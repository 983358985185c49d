import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { FlareError } from "@flare-ts/contracts";

/** How the private keys of a workspace are kept: sealed by a passphrase, or in clear text, which must be said. */
export type CaKey = "clear" | SealingPassphrase;

/** A passphrase that private keys are sealed by. */
export interface SealingPassphrase {
  readonly passphrase: string;
  /**
   * What scrypt made of the passphrase so far, by salt: a process that works on a workspace again and again, and keeps this beside the
   * passphrase, makes it once. @default nothing is kept from one call to the next
   */
  readonly derivedKeys?: Map<string, Promise<Buffer>>;
}

const prefix = "sealed:v1:";
const saltBytes = 16;
const nonceBytes = 12;
const tagBytes = 16;
const leastChars = 8;
/** About 0.4 s and 128 MiB for each guess. */
const cost = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 } as const;

const derive = promisify(scrypt) as (passphrase: string, salt: Buffer, length: number, options: typeof cost) => Promise<Buffer>;

/**
 * Seals the private keys of a workspace and opens them again: AES-256-GCM, each with its own nonce and bound to whose key it is,
 * under a key that scrypt makes of the passphrase. A key in clear text is opened as it is, so that a workspace of FLARE's can be
 * read; it is sealed when it is written.
 *
 * @see RFC 7914 (scrypt); NIST SP 800-38D (GCM)
 */
export class KeyVault {
  readonly #caKey: CaKey;
  readonly #file: string;
  /** By salt: all keys that are sealed in a run share one, because making it is slow on purpose. */
  readonly #keys: Map<string, Promise<Buffer>>;
  /** Whether a key was opened, so that the passphrase is known to be right. */
  #isProven = false;

  /** `file`: the state's, for messages. */
  constructor(caKey: CaKey, file: string) {
    this.#caKey = caKey;
    this.#keys = (caKey === "clear" ? undefined : caKey.derivedKeys) ?? new Map();
    this.#file = file;
  }

  /**
   * Opens a private key; `owner` is what it was sealed for.
   *
   * @throws FlareError `project/passphrase-missing`, `project/passphrase-wrong`, `project/state-invalid`.
   */
  async open(stored: string, owner: string): Promise<string> {
    if (!stored.startsWith(prefix)) return stored;
    if (this.#caKey === "clear") {
      throw new FlareError("project/passphrase-missing", `The private keys in ${this.#file} are sealed by a passphrase; none was given.`, {
        facts: { file: this.#file },
      });
    }
    const [salt = "", sealed = ""] = stored.slice(prefix.length).split(":");
    const bytes = Buffer.from(sealed, "base64");
    if (bytes.length < nonceBytes + tagBytes) throw this.#damaged(owner);
    const key = await this.#keyFor(salt);
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
    decipher.setAAD(Buffer.from(owner));
    decipher.setAuthTag(bytes.subarray(-tagBytes));
    try {
      const text = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString("utf8");
      this.#isProven = true;
      return text;
    } catch {
      if (this.#isProven) throw this.#damaged(owner);
      throw new FlareError("project/passphrase-wrong", `The passphrase does not open the private keys in ${this.#file}.`, {
        facts: { file: this.#file },
      });
    }
  }

  /**
   * Seals a private key for its owner, or leaves it as it is where keys are kept in clear text.
   *
   * @throws FlareError `project/passphrase-too-short` when it would be the first to be sealed.
   */
  async seal(privateKeyPem: string, owner: string): Promise<string> {
    if (this.#caKey === "clear") return privateKeyPem;
    if (this.#keys.size === 0 && this.#caKey.passphrase.length < leastChars) {
      throw new FlareError("project/passphrase-too-short", `The passphrase of the CA key has fewer than ${leastChars} characters.`);
    }
    const [salt = randomBytes(saltBytes).toString("base64")] = this.#keys.keys();
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv("aes-256-gcm", await this.#keyFor(salt), nonce, { authTagLength: tagBytes });
    cipher.setAAD(Buffer.from(owner));
    const sealed = Buffer.concat([nonce, cipher.update(privateKeyPem, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return `${prefix}${salt}:${sealed.toString("base64")}`;
  }

  async #keyFor(salt: string): Promise<Buffer> {
    if (this.#caKey === "clear") throw new TypeError("keys in clear text are not sealed");
    const key = this.#keys.get(salt) ?? derive(this.#caKey.passphrase.normalize("NFC"), Buffer.from(salt, "base64"), 32, cost);
    this.#keys.set(salt, key);
    try {
      return await key;
    } catch (cause) {
      // There was no memory for it; there may be the next time.
      this.#keys.delete(salt);
      throw cause;
    }
  }

  #damaged(owner: string): FlareError {
    return new FlareError("project/state-invalid", `${this.#file}: the sealed private key of ${owner} is damaged.`, {
      facts: { file: this.#file },
    });
  }
}
