import { checkSingle } from "./finish";
import { scanF32, scanF64, scanShort } from "./scan";
import { doubleSums, sumExactBf16From, sumExactF16From, sumShort, sumSingleBf16From, sumSingleF16From } from "./sum-short";
import { sumExactFrom, sumWide } from "./sum-wide";

/** Elements whose float32 sums are still in the first cache when they are looked at; a multiple of eight. */
const checkedAtOnce: usize = 1024;

// Each kernel for each element type. `grid` is where `gridOf` has stored the magic number and 2^gridBits.

/** @param flag - as for `sumSingleF32` */
export function sumSingleBf16(n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, weights: usize, flag: usize): void {
  sumSingleShort<u16>(n, isFirst, sums, count, inputs, weights, flag);
}

export function sumSingleF16(n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, weights: usize, flag: usize): void {
  sumSingleShort<i16>(n, isFirst, sums, count, inputs, weights, flag);
}

@inline
function sumSingleShort<T>(n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, weights: usize, flag: usize): void {
  for (let first: usize = 0; first < count; first += checkedAtOnce) {
    const some = min(checkedAtOnce, count - first), to = sums + (first << 2);
    if (isSigned<T>()) sumSingleF16From(n, isFirst, to, some, inputs, first << 1, weights);
    else sumSingleBf16From(n, isFirst, to, some, inputs, first << 1, weights);
    if (flag != 0) checkSingle(to, some, flag);
  }
}

export function sumDoubleF32(n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, weights: usize): void {
  sumWide<f32>(false, n, isFirst, sums, count, inputs, 0, weights, 0);
}

export function sumDoubleBf16(n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, weights: usize): void {
  sumShort<u16>(doubleSums, n, isFirst, sums, count, inputs, 0, weights, 0);
}

export function sumDoubleF16(n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, weights: usize): void {
  sumShort<i16>(doubleSums, n, isFirst, sums, count, inputs, 0, weights, 0);
}

export function sumDoubleF64(n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, weights: usize): void {
  sumWide<f64>(false, n, isFirst, sums, count, inputs, 0, weights, 0);
}

export function sumExactF32(n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, weights: usize, grid: usize): void {
  sumExactFrom(n, isFirst, sums, count, inputs, 0, weights, load<f64>(grid));
}

export function sumExactBf16(n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, weights: usize, grid: usize): void {
  sumExactBf16From(n, isFirst, sums, count, inputs, 0, weights, load<f64>(grid));
}

export function sumExactF16(n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, weights: usize, grid: usize): void {
  sumExactF16From(n, isFirst, sums, count, inputs, 0, weights, load<f64>(grid));
}

export function sumExactF64(n: i32, isFirst: bool, sums: usize, count: usize, inputs: usize, weights: usize, grid: usize): void {
  sumWide<f64>(true, n, isFirst, sums, count, inputs, 0, weights, load<f64>(grid));
}

/** Scans n updates; what `scanF32` writes for each stands `stride` bytes apart. */
export function scanAllF32(n: i32, inputs: usize, count: usize, results: usize, stride: usize): void {
  for (let i = 0; i < n; i++) scanF32(load<u32>(inputs + (i << 2)), count, results + (i as usize) * stride);
}

export function scanAllBf16(n: i32, inputs: usize, count: usize, results: usize, stride: usize): void {
  for (let i = 0; i < n; i++) scanShort<u16>(load<u32>(inputs + (i << 2)), count, results + (i as usize) * stride);
}

export function scanAllF16(n: i32, inputs: usize, count: usize, results: usize, stride: usize): void {
  for (let i = 0; i < n; i++) scanShort<i16>(load<u32>(inputs + (i << 2)), count, results + (i as usize) * stride);
}

export function scanAllF64(n: i32, inputs: usize, count: usize, results: usize, stride: usize): void {
  for (let i = 0; i < n; i++) scanF64(load<u32>(inputs + (i << 2)), count, results + (i as usize) * stride);
}
