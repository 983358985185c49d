import { decodeShort } from "./decode";
import { addBase } from "./finish";
import { scanShort } from "./scan";

export { zero } from "./constants";
export { addDifferenceSquaresF32, addDifferenceSquaresF64 } from "./differences";
export { addDistancesF32 } from "./distances";
export { decodeInt8, scatterF32 } from "./decode";
export { addBaseF64, checkSingle, meansOfDouble, widen } from "./finish";
export { finishGridF32, meansOfGrid } from "./finish-exact";
export { foldExactF32, foldSingleF32, unfoldExactF32 } from "./fold";
export { gridOf } from "./grid";
export { checkSteps, subtractSteps } from "./masks";
export { scanF32, scanF64 } from "./scan";
export { scanAllInt8 } from "./scan-int8";
export { storeBf16, storeF16, storeF32, storeF64 } from "./store";
export { addSteps, stepsOf } from "./steps";
export { meanExactBf16, meanExactF16, meanExactF32, meanExactInt8 } from "./mean-exact";
export { sumExactInt8 } from "./sum-exact-int8";
export { sumSingleInt8 } from "./sum-int8";
export { sumSingleF32 } from "./sum-single";
export * from "./sums";
export { trimmedMeanF32 } from "./trimmed-mean";

export function addBaseF32(means: usize, count: usize, base: usize): void {
  addBase<f32>(means, count, base);
}

export function scanBf16(x: usize, count: usize, result: usize): void {
  scanShort<u16>(x, count, result);
}

export function addBaseBf16(means: usize, count: usize, base: usize): void {
  addBase<u16>(means, count, base);
}

export function scanF16(x: usize, count: usize, result: usize): void {
  scanShort<i16>(x, count, result);
}

export function addBaseF16(means: usize, count: usize, base: usize): void {
  addBase<i16>(means, count, base);
}

export function decodeBf16(x: usize, count: usize, out: usize): void {
  decodeShort<u16>(x, count, out);
}

export function decodeF16(x: usize, count: usize, out: usize): void {
  decodeShort<i16>(x, count, out);
}
