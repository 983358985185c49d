import type { Arithmetic } from "../session/arithmetic.js";
import { foldUpdates } from "./fold-updates.js";
import { inspectUpdate } from "./inspect-update.js";
import { measureDistances } from "./measure-distances.js";

/** Exact sums in plain JavaScript. */
export const jsArithmetic: Arithmetic = Object.freeze({
  device: "cpu, plain JavaScript, 1 thread",
  isExact: true,
  // Not slice(): a Buffer's slice would share the caller's memory.
  keep: (bytes: Uint8Array) => ({ bytes: new Uint8Array(bytes), release: () => {} }),
  inspect: inspectUpdate,
  distances: measureDistances,
  fold: foldUpdates,
});
