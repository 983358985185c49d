import { createECDH, type ECDH, hash } from "node:crypto";
import { FlareError } from "@flare-ts/contracts/errors";
import { pointBytes } from "./psi-file.js";

/** Keeps these hashes apart from those of every other protocol, and of other versions of this one. */
const domain = "FLARE-TS-PSI-V1-P256-SHA256";

/** An x coordinate is one of a point with probability one half: so many that are none in a row do not happen. */
const mostTries = 256;

/**
 * Blinds identifiers by one site's key: what comes out is the x coordinate of a multiple of a point of P-256. Which sites have blinded an
 * identifier decides what it is, and not their order.
 */
export class PointBlinder {
  readonly #curve: ECDH;
  /** A point as OpenSSL reads it. Either of the two with an x coordinate will do: their multiples share theirs too. */
  readonly #point = Buffer.alloc(1 + pointBytes, 2);

  /** @param key - a scalar, 32 bytes */
  constructor(key: Uint8Array) {
    this.#curve = createECDH("prime256v1");
    this.#curve.setPrivateKey(key);
  }

  /**
   * Blinds an identifier that nobody has blinded yet: the first hash of it, with a number, that is the x coordinate of a point stands for it.
   *
   * @see RFC 9380 on hashing to curves; trying takes a time that tells of the identifier, but nobody else sees it
   */
  blindItem(item: string): Uint8Array {
    for (let attempt = 0; attempt < mostTries; attempt += 1) {
      // In its JSON form no other identifier with another number gives the same text.
      hash("sha256", JSON.stringify([domain, attempt, item]), "buffer").copy(this.#point, 1);
      const blinded = this.#multiply();
      if (blinded !== undefined) return blinded;
    }
    throw new TypeError("no hash of an identifier is a point");
  }

  /** Blinds what others have blinded. @throws FlareError `client-api/result-invalid` for what is no x coordinate of a point */
  blindPoint(x: Uint8Array): Uint8Array {
    this.#point.set(x, 1);
    const blinded = this.#multiply();
    if (blinded === undefined) throw new FlareError("client-api/result-invalid", "What came for blinding is no point of P-256.");
    return blinded;
  }

  #multiply(): Buffer | undefined {
    try {
      return this.#curve.computeSecret(this.#point);
    } catch (reason) {
      if ((reason as NodeJS.ErrnoException).code === "ERR_CRYPTO_ECDH_INVALID_PUBLIC_KEY") return undefined;
      throw reason;
    }
  }
}
