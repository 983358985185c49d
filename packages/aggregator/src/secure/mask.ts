import { FlareError } from "@flare-ts/contracts/errors";
import { seedBytes } from "./keystream.js";

/** What hides an update, and cancels in the sum of all: a keystream that is added to it or taken from it. */
export interface Mask {
  /** 32 bytes: the key of AES-256-CTR. A secret that is used for one update only, or for one pair of updates. */
  readonly seed: Uint8Array;
  /** 1 where the keystream was added to the update, -1 where it was taken away. */
  readonly sign: 1 | -1;
}

/** @throws `aggregate/mask-invalid` for a seed of another length, a seed twice, another sign; where `isNeeded`, for no mask at all */
export function requireMasks(masks: readonly Mask[], isNeeded: boolean): void {
  const invalid = (what: string): FlareError => new FlareError("aggregate/mask-invalid", what);
  if (isNeeded && masks.length === 0) throw invalid("There is no mask, so everybody could read the update.");
  for (const { seed, sign } of masks) {
    if (seed.byteLength !== seedBytes) throw invalid(`A seed has ${seed.byteLength} bytes; it must have ${seedBytes}.`);
    if (sign !== 1 && sign !== -1) throw invalid(`A mask has the sign ${String(sign)}; it must be 1 or -1.`);
  }
  const seeds = new Set(masks.map(({ seed }) => Buffer.from(seed).toString("hex")));
  if (seeds.size < masks.length) throw invalid("Two masks have the same seed: together they hide less than it seems.");
}
