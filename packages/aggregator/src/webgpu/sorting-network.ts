/** One step of a network: the smaller of two values goes to `low`, the larger to `high`; either may not be needed any more. */
export interface Comparator {
  readonly low: number;
  readonly high: number;
  readonly isLowNeeded: boolean;
  readonly isHighNeeded: boolean;
}

/**
 * Batcher's odd-even merge sort of so many values, without the steps and halves of steps that none of the places `needed`
 * depends on. For two places in the middle of 32 that leaves 157 of 191 comparators.
 *
 * @param needed - whether a place, in ascending order, has to hold its value in the end
 * @see K. E. Batcher, Sorting networks and their applications, AFIPS 1968; D. E. Knuth, TAOCP 3, 5.2.2, algorithm M
 */
export function sortingNetwork(count: number, needed: (place: number) => boolean): Comparator[] {
  const isNeeded = Array.from({ length: count }, (_, place) => needed(place));
  const kept: Comparator[] = [];
  for (const [low, high] of batcherPairs(count).toReversed()) {
    const [isLowNeeded, isHighNeeded] = [isNeeded[low] === true, isNeeded[high] === true];
    if (!isLowNeeded && !isHighNeeded) continue;
    kept.push({ low, high, isLowNeeded, isHighNeeded });
    isNeeded[low] = true;
    isNeeded[high] = true;
  }
  return kept.toReversed();
}

/** The smaller value always goes to the lower place, so values that are not there, as if infinite, need no steps. */
function batcherPairs(count: number): (readonly [low: number, high: number])[] {
  const pairs: [number, number][] = [];
  const size = 2 ** Math.ceil(Math.log2(Math.max(1, count)));
  for (let sorted = size / 2; sorted >= 1; sorted /= 2) {
    let distance = sorted;
    let offset = 0;
    for (let merged = size / 2; merged >= sorted; merged /= 2) {
      for (let low = 0; low + distance < count; low++) if ((low & sorted) === offset) pairs.push([low, low + distance]);
      distance = merged - sorted;
      offset = sorted;
    }
  }
  return pairs;
}
