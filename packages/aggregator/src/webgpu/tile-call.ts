import { runElements } from "../device/combine-device.js";
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
  /** Where results go, if it is large enough. */
  readonly into?: ArrayBuffer | undefined;
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

/** Room that the settings of any call take at most over so many values. */
export function mostBytesOfSettings(updates: number, elements: number): number {
  return 16 + 8 * updates + 4 * Math.ceil(elements / runElements);
}

/** Writes the values as the kernel reads them. */
export function writeValues({ values: rows }: TileCall, target: ArrayBuffer): void {
  let at = 0;
  for (const values of rows) {
    new Float32Array(target, at, values.length).set(values);
    at += values.byteLength;
  }
}

/** Writes the settings as the kernel reads them, behind the values. */
export function writeSettings(call: TileCall, target: ArrayBuffer): void {
  const at = bytesOf(call).inputs;
  new Uint32Array(target, at, 2).set([call.values.length, call.runs]);
  new Uint8Array(target, at + 8, call.words.byteLength).set(call.words);
}
