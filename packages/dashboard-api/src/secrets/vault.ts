import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from "node:crypto";
import { FlareError } from "@flare-ts/contracts";
import type { RandomBytes } from "./tokens.js";

/**
 * Seals secrets that the database keeps, by the dashboard's own key (AES-256-GCM). What was sealed for one purpose opens for
 * that purpose only.
 */
export class Vault {
  readonly #key: Uint8Array;
  readonly #randomBytes: RandomBytes;

  constructor(components: { readonly randomBytes: RandomBytes }, init: { readonly key: Uint8Array }) {
    this.#randomBytes = components.randomBytes;
    this.#key = init.key;
  }

  /** Seals a text; the result is base64url. */
  seal(purpose: string, text: string): string {
    const nonce = this.#randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.#subKey("seal"), nonce).setAAD(Buffer.from(purpose));
    const sealed = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return sealed.toString("base64url");
  }

  /**
   * Opens what was sealed for a purpose.
   *
   * @throws FlareError `dashboard/invalid-settings` when it was sealed by another key
   */
  open(purpose: string, sealed: string): string {
    const bytes = Buffer.from(sealed, "base64url");
    try {
      const decipher = createDecipheriv("aes-256-gcm", this.#subKey("seal"), bytes.subarray(0, 12), { authTagLength: 16 });
      decipher.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(-16));
      return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString("utf8");
    } catch (cause) {
      throw new FlareError(
        "dashboard/invalid-settings",
        "A secret in the database was sealed by another key than the data folder's dashboard.key.",
        { cause },
      );
    }
  }

  /** A code that only this dashboard can make for a text, in base64url (HMAC-SHA-256). */
  mac(purpose: string, text: string): string {
    return createHmac("sha256", this.#subKey(purpose)).update(text).digest("base64url");
  }

  #subKey(purpose: string): Uint8Array {
    return new Uint8Array(hkdfSync("sha256", this.#key, new Uint8Array(), `flare dashboard ${purpose}`, 32));
  }
}
