/** Rows that one call of a robust kernel takes at most: updates, each with its part of a tensor. */
export const maxRows = 4096;

/** Rows of a first run, which kernels sort in registers. */
const runRows = 16;
/** Bytes of a row, as in `assembly/rows.ts`. */
const rowBytes = 576;

/** How `trimmedMeanF32` sorts. */
export interface SortingPlan {
  /** As the kernel takes them. */
  readonly steps: Uint32Array;
  /** The row at which the second of two sorted runs begins; 0 where there is one. */
  readonly split: number;
  /** Bytes that the kernel needs for rows. */
  readonly tileBytes: number;
}

type Pair = readonly [number, number];

/**
 * Gives the comparators that sort n rows whose runs of sixteen are sorted: the stages of Batcher's merge exchange from there on,
 * with three comparators in one step where four rows hold what they need. Where at most two values are kept, the last merge is left
 * to the kernel, which needs no sorted rows for it.
 *
 * @param n - 1 to `maxRows`
 * @param cut - values to be left out at either end, fewer than half
 * @see K. E. Batcher, "Sorting networks and their applications", 1968; D. E. Knuth, The Art of Computer Programming, volume 3, 5.2.2, algorithm M
 */
export function sortingPlan(n: number, cut: number): SortingPlan {
  const rows = Math.ceil(n / 8) * 8;
  const isMiddle = n - 2 * cut <= 2 && rows > runRows;
  const stages: Pair[][] = [];
  let split = 0;
  for (let run = runRows; run < rows; run *= 2) {
    if (isMiddle && 2 * run >= rows) split = run;
    else for (let distance = run; distance >= 1; distance /= 2) stages.push(stageOf(rows, run, distance));
  }
  const steps = stepsOf(stages);
  return { steps: Uint32Array.from([[steps.length], ...steps].flat()), split, tileBytes: (rows + 1) * rowBytes };
}

/** Pairs at a distance, of the merges of runs of so many rows. */
function stageOf(rows: number, run: number, distance: number): Pair[] {
  const pairs: Pair[] = [];
  for (let block = 0; block < rows; block += 2 * run) {
    const end = Math.min(rows, block + 2 * run);
    for (let first = block + (distance % run); first + distance < end; first += 2 * distance) {
      for (let row = first; row < Math.min(first + distance, end - distance); row++) pairs.push([row, row + distance]);
    }
  }
  return pairs;
}

/** Takes pairs of one stage together with the pair of the next that lies between them. */
function stepsOf(stages: readonly Pair[][]): number[][] {
  const steps: number[][] = [];
  const done = stages.map(() => new Set<number>());
  for (const [i, stage] of stages.entries()) {
    const firsts = new Set(stage.map(([row]) => row));
    const nexts = new Map(stages[i + 1]);
    for (const [row, other] of stage) {
      if (done[i]?.has(row)) continue;
      const half = (other - row) / 2;
      const isWhole = firsts.has(row + half) && !done[i]?.has(row + half) && nexts.get(row + half) === other;
      if (isWhole) {
        steps.push([row, row + half, other, other + half]);
        done[i]?.add(row + half);
        done[i + 1]?.add(row + half);
      } else steps.push([row, other, 0, 0]);
    }
  }
  return steps;
}
