/** Rows that one call of a robust kernel takes at most: updates, each with its part of a tensor. */
export const maxRows = 4096;

/** Rows of a first run, which kernels sort in registers. */
const runRows = 8;
/** The largest distance of rows at which kernels merge sixteen in registers. */
const maxStride = 4;
/** Bytes of a row, as in `assembly/rows.ts`. */
const rowBytes = 576;
/** Tiles that are filled in turn, and the bytes that they may take together to stay in the second cache. */
const maxTiles = 4;
const cachedBytes = 320 * 1024;

/** How `trimmedMeanF32` sorts. */
export interface SortingPlan {
  /** As the kernel takes them. */
  readonly steps: Uint32Array;
  /** The row at which the second of two sorted runs begins, whose merge, or its last stage, is the kernel's; 0 where there is one run. */
  readonly split: number;
  /** How many tiles of rows the kernel fills in turn: medians of 32 updates in cold memory took 75 ns for four elements with four, 94 with one. */
  readonly tiles: number;
  /** Bytes that the kernel needs for them. */
  readonly tileBytes: number;
}

/** Two rows to compare; four of two sorted pairs to merge; or the first of sixteen to merge, nothing twice, and their distance. */
type Step = readonly [number, number, number, number];

/**
 * Gives the comparators that sort n rows whose runs of eight are sorted: Batcher's merges of odd and even places, with as many
 * comparators in one step as registers allow. Where at most two values are kept, the last merge is left to the kernel, which needs
 * no sorted rows for it; else it does the last stage of a merge while it adds.
 *
 * @param n - 1 to `maxRows`
 * @param cut - values to be left out at either end, fewer than half
 * @see K. E. Batcher, "Sorting networks and their applications", 1968; D. E. Knuth, The Art of Computer Programming, volume 3, 5.3.4
 */
export function sortingPlan(n: number, cut: number): SortingPlan {
  const rows = Math.ceil(n / runRows) * runRows;
  const isMiddle = n - 2 * cut <= 2;
  const steps: Step[] = [];
  let split = 0;
  for (let run = runRows; run < rows; run *= 2) {
    const isLast = 2 * run >= rows;
    if (isLast && (isMiddle || run > runRows)) split = run;
    if (isLast && isMiddle) continue;
    for (let block = 0; block < rows; block += 2 * run) {
      if (isLast && split > 0) addHalves(steps, rows, 0, 1, run);
      else addMerge(steps, Math.min(rows, block + 2 * run), block, 1, run);
    }
  }
  const bytes = (rows + 2) * rowBytes;
  const tiles = Math.max(1, Math.min(maxTiles, Math.floor(cachedBytes / bytes)));
  return { steps: Uint32Array.from([[steps.length], ...steps].flat()), split, tiles, tileBytes: tiles * bytes };
}

/** Merges two sorted runs of so many rows, the first at `first`, the next `stride` further on. Rows from `end` on are infinite. */
function addMerge(steps: Step[], end: number, first: number, stride: number, run: number): void {
  const row = (place: number): number => first + place * stride;
  if (row(run) >= end) return;
  if (run === runRows && stride <= maxStride && row(2 * run - 1) < end) steps.push([first, 0, 0, stride]);
  else if (run === 2 && row(3) < end) steps.push([row(0), row(1), row(2), row(3)]);
  else if (run === 1) steps.push([row(0), row(1), 0, 0]);
  else {
    addHalves(steps, end, first, stride, run);
    for (let place = 1; place < 2 * run - 1 && row(place + 1) < end; place += 2) steps.push([row(place), row(place + 1), 0, 0]);
  }
}

/** Merges what is at even places, and what is at odd ones: all of a merge but for its last stage. */
function addHalves(steps: Step[], end: number, first: number, stride: number, run: number): void {
  addMerge(steps, end, first, 2 * stride, run / 2);
  addMerge(steps, end, first + stride, 2 * stride, run / 2);
}
