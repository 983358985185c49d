import { createPrivateKey, createPublicKey, diffieHellman, hkdfSync, type KeyObject } from "node:crypto";
import { transcript } from "../session/transcript.js";

/** What a mask is for. Each has seeds of its own. */
export interface MaskedTask {
  readonly project: string;
  readonly jobId: string;
  readonly round: number;
  /** The task whose updates are masked. */
  readonly task: string;
  /** 0, 1, 2 … : each time that the same updates are masked anew. */
  readonly attempt: number;
}

/** Bytes of a site's secret of a job, of a public key and of a seed. */
export const secretBytes = 32;

/** PKCS #8 and SubjectPublicKeyInfo of RFC 8410, 7 and 4, before the 32 bytes of an X25519 key. */
const privateKeyPrefix = Buffer.from("302e020100300506032b656e04220420", "hex");
const publicKeyPrefix = Buffer.from("302a300506032b656e032100", "hex");

/**
 * A site's secret of one job: masks follow from it alone, so they are the same after a crash. It never leaves the site.
 *
 * @see Bonawitz et al., "Practical Secure Aggregation for Privacy-Preserving Machine Learning", CCS 2017
 */
export class MaskSecret {
  readonly #secret: Uint8Array;
  readonly #privateKey: KeyObject;

  constructor(secret: Uint8Array) {
    this.#secret = secret;
    const scalar = derive(secret, transcript("flare-ts/1 secure agreement", []));
    this.#privateKey = createPrivateKey({ key: Buffer.concat([privateKeyPrefix, scalar]), format: "der", type: "pkcs8" });
  }

  /** The X25519 key that the others agree on masks with. */
  get publicKey(): Buffer {
    return createPublicKey(this.#privateKey).export({ format: "der", type: "spki" }).subarray(publicKeyPrefix.length);
  }

  /** The seed of the mask that this site alone knows until it reveals it. */
  selfSeed(task: MaskedTask): Buffer {
    return derive(this.#secret, transcript("flare-ts/1 secure self", fieldsOf(task)));
  }

  /** The seed of the mask that two sites know: one adds it, the other takes it away. The same for both. */
  pairSeed(task: MaskedTask, own: string, other: { readonly site: string; readonly publicKey: Uint8Array }): Buffer {
    const publicKey = createPublicKey({ key: Buffer.concat([publicKeyPrefix, other.publicKey]), format: "der", type: "spki" });
    // Node refuses a public key of small order, for which every secret is the same (RFC 7748, 6.1).
    const agreed = diffieHellman({ privateKey: this.#privateKey, publicKey });
    const [first = "", second = ""] = [own, other.site].sort();
    return derive(agreed, transcript("flare-ts/1 secure pair", [...fieldsOf(task), first, second]));
  }
}

/** The sign with which a site uses the mask that it shares with another: what one adds, the other takes away. */
export function pairSign(own: string, other: string): 1 | -1 {
  return own < other ? 1 : -1;
}

function fieldsOf({ project, jobId, round, task, attempt }: MaskedTask): readonly string[] {
  return [project, jobId, String(round), task, String(attempt)];
}

/** RFC 5869; the secret is uniform, or the result of an agreement, and the information says what it is for. */
function derive(secret: Uint8Array, info: Uint8Array): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, new Uint8Array(0), info, secretBytes));
}
