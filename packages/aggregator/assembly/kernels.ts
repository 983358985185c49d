import { addBase } from "./finish";
import { foldDouble, foldExact, foldSingle } from "./fold";
import { scanSingle } from "./scan";

export { zero } from "./constants";
export { addBaseF64, checkSingle, finishExactF32, meansOfDouble, meansOfExact, widen } from "./finish";
export { finishGridF32, meansOfGrid } from "./finish-exact";
export { gridOf } from "./grid";
export { scanF64 } from "./scan";
export { storeBf16, storeF16, storeF32, storeF64 } from "./store";
export * from "./sums";
export { trimmedMeanF32 } from "./trimmed-mean";

export function scanF32(x: usize, count: usize, result: usize): void {
  scanSingle<f32>(x, count, result);
}

export function addBaseF32(means: usize, count: usize, base: usize): void {
  addBase<f32>(means, count, base);
}

export function scanBf16(x: usize, count: usize, result: usize): void {
  scanSingle<u16>(x, count, result);
}

export function addBaseBf16(means: usize, count: usize, base: usize): void {
  addBase<u16>(means, count, base);
}

export function scanF16(x: usize, count: usize, result: usize): void {
  scanSingle<i16>(x, count, result);
}

export function addBaseF16(means: usize, count: usize, base: usize): void {
  addBase<i16>(means, count, base);
}

// The number of updates and whether sums begin at zero are known only when called, and must be constants inside the loops.

@inline
function anySingle<T>(n: i32, isFirst: bool, sums: usize, count: usize, x0: usize, x1: usize, x2: usize, x3: usize, w0: f64, w1: f64, w2: f64, w3: f64): void {
  if (isFirst) {
    if (n == 1) foldSingle<T>(1, true, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
    else if (n == 2) foldSingle<T>(2, true, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
    else if (n == 3) foldSingle<T>(3, true, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
    else foldSingle<T>(4, true, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
  } else {
    if (n == 1) foldSingle<T>(1, false, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
    else if (n == 2) foldSingle<T>(2, false, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
    else if (n == 3) foldSingle<T>(3, false, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
    else foldSingle<T>(4, false, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
  }
}

@inline
function anyDouble<T>(n: i32, isFirst: bool, sums: usize, count: usize, x0: usize, x1: usize, x2: usize, x3: usize, w0: f64, w1: f64, w2: f64, w3: f64): void {
  if (isFirst) {
    if (n == 1) foldDouble<T>(1, true, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
    else if (n == 2) foldDouble<T>(2, true, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
    else if (n == 3) foldDouble<T>(3, true, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
    else foldDouble<T>(4, true, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
  } else {
    if (n == 1) foldDouble<T>(1, false, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
    else if (n == 2) foldDouble<T>(2, false, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
    else if (n == 3) foldDouble<T>(3, false, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
    else foldDouble<T>(4, false, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
  }
}

@inline
function anyExact<T>(n: i32, isFirst: bool, sums: usize, count: usize, x0: usize, x1: usize, x2: usize, x3: usize, w0: f64, w1: f64, w2: f64, w3: f64, magic: f64): void {
  if (isFirst) {
    if (n == 1) foldExact<T>(1, true, sums, count, x0, x1, x2, x3, w0, w1, w2, w3, magic);
    else if (n == 2) foldExact<T>(2, true, sums, count, x0, x1, x2, x3, w0, w1, w2, w3, magic);
    else if (n == 3) foldExact<T>(3, true, sums, count, x0, x1, x2, x3, w0, w1, w2, w3, magic);
    else foldExact<T>(4, true, sums, count, x0, x1, x2, x3, w0, w1, w2, w3, magic);
  } else {
    if (n == 1) foldExact<T>(1, false, sums, count, x0, x1, x2, x3, w0, w1, w2, w3, magic);
    else if (n == 2) foldExact<T>(2, false, sums, count, x0, x1, x2, x3, w0, w1, w2, w3, magic);
    else if (n == 3) foldExact<T>(3, false, sums, count, x0, x1, x2, x3, w0, w1, w2, w3, magic);
    else foldExact<T>(4, false, sums, count, x0, x1, x2, x3, w0, w1, w2, w3, magic);
  }
}

export function foldSingleF32(n: i32, isFirst: bool, sums: usize, count: usize, x0: usize, x1: usize, x2: usize, x3: usize, w0: f64, w1: f64, w2: f64, w3: f64): void {
  anySingle<f32>(n, isFirst, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
}

export function foldSingleBf16(n: i32, isFirst: bool, sums: usize, count: usize, x0: usize, x1: usize, x2: usize, x3: usize, w0: f64, w1: f64, w2: f64, w3: f64): void {
  anySingle<u16>(n, isFirst, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
}

export function foldSingleF16(n: i32, isFirst: bool, sums: usize, count: usize, x0: usize, x1: usize, x2: usize, x3: usize, w0: f64, w1: f64, w2: f64, w3: f64): void {
  anySingle<i16>(n, isFirst, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
}

export function foldDoubleF32(n: i32, isFirst: bool, sums: usize, count: usize, x0: usize, x1: usize, x2: usize, x3: usize, w0: f64, w1: f64, w2: f64, w3: f64): void {
  anyDouble<f32>(n, isFirst, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
}

export function foldDoubleBf16(n: i32, isFirst: bool, sums: usize, count: usize, x0: usize, x1: usize, x2: usize, x3: usize, w0: f64, w1: f64, w2: f64, w3: f64): void {
  anyDouble<u16>(n, isFirst, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
}

export function foldDoubleF16(n: i32, isFirst: bool, sums: usize, count: usize, x0: usize, x1: usize, x2: usize, x3: usize, w0: f64, w1: f64, w2: f64, w3: f64): void {
  anyDouble<i16>(n, isFirst, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
}

export function foldDoubleF64(n: i32, isFirst: bool, sums: usize, count: usize, x0: usize, x1: usize, x2: usize, x3: usize, w0: f64, w1: f64, w2: f64, w3: f64): void {
  anyDouble<f64>(n, isFirst, sums, count, x0, x1, x2, x3, w0, w1, w2, w3);
}

export function foldExactF32(n: i32, isFirst: bool, sums: usize, count: usize, x0: usize, x1: usize, x2: usize, x3: usize, w0: f64, w1: f64, w2: f64, w3: f64, magic: f64): void {
  anyExact<f32>(n, isFirst, sums, count, x0, x1, x2, x3, w0, w1, w2, w3, magic);
}

export function foldExactBf16(n: i32, isFirst: bool, sums: usize, count: usize, x0: usize, x1: usize, x2: usize, x3: usize, w0: f64, w1: f64, w2: f64, w3: f64, magic: f64): void {
  anyExact<u16>(n, isFirst, sums, count, x0, x1, x2, x3, w0, w1, w2, w3, magic);
}

export function foldExactF16(n: i32, isFirst: bool, sums: usize, count: usize, x0: usize, x1: usize, x2: usize, x3: usize, w0: f64, w1: f64, w2: f64, w3: f64, magic: f64): void {
  anyExact<i16>(n, isFirst, sums, count, x0, x1, x2, x3, w0, w1, w2, w3, magic);
}

export function foldExactF64(n: i32, isFirst: bool, sums: usize, count: usize, x0: usize, x1: usize, x2: usize, x3: usize, w0: f64, w1: f64, w2: f64, w3: f64, magic: f64): void {
  anyExact<f64>(n, isFirst, sums, count, x0, x1, x2, x3, w0, w1, w2, w3, magic);
}
