import type { TileKernel } from "./kernels/tile-kernel.js";

/** One kernel over one tile. */
export interface TileCall {
  readonly kernel: TileKernel;
  /** Of all updates, of one length, a multiple of the elements of a run. */
  readonly values: readonly Float32Array[];
  readonly runs: number;
  /** What the kernel is told beside the numbers of updates and runs, in 32-bit words. */
  readonly words: Uint8Array;
  readonly resultBytes: number;
  readonly workgroups: readonly [x: number, y: number, z: number];
}

/** Bytes of each buffer that a call needs. */
export interface TileCallBytes {
  readonly inputs: number;
  readonly settings: number;
  readonly results: number;
}

/** What a call needs on the device. */
export function bytesOf({ values, words, resultBytes }: TileCall): TileCallBytes {
  const inputs = values.reduce((sum, each) => sum + each.byteLength, 0);
  // A kernel's settings have one word at least, whether it looks at it or not.
  return { inputs, settings: 8 + Math.max(4, words.byteLength), results: resultBytes };
}

/** Writes the values and then the settings, as the kernel reads them. */
export function writeCall(call: TileCall, target: ArrayBuffer): void {
  let at = 0;
  for (const values of call.values) {
    new Float32Array(target, at, values.length).set(values);
    at += values.byteLength;
  }
  new Uint32Array(target, at, 2).set([call.values.length, call.runs]);
  new Uint8Array(target, at + 8, call.words.byteLength).set(call.words);
}
