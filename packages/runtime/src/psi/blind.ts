import { PointBlinder } from "./point-blinder.js";
import { pointBytes } from "./psi-file.js";

/** A batch that is to be blinded: identifiers, or points that others have blinded, one after the other. */
export type BlindingWork = { readonly items: readonly string[] } | { readonly points: Uint8Array };

/** Blinds a batch. @throws FlareError `client-api/result-invalid` for what is no point */
export function blind(key: Uint8Array, work: BlindingWork): Uint8Array<ArrayBuffer> {
  const blinder = new PointBlinder(key);
  if ("items" in work) {
    const out = new Uint8Array(work.items.length * pointBytes);
    work.items.forEach((item, i) => out.set(blinder.blindItem(item), i * pointBytes));
    return out;
  }
  const out = new Uint8Array(work.points.byteLength);
  for (let at = 0; at < out.byteLength; at += pointBytes) out.set(blinder.blindPoint(work.points.subarray(at, at + pointBytes)), at);
  return out;
}
