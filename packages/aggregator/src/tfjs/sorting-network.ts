/** One step of a sorting network: of two places, the lower one gets the smaller value and the higher one the larger. */
export interface SortingStep {
  readonly low: number;
  readonly high: number;
  /** Which of the two results is used afterwards. */
  readonly keeps: "low" | "high" | "both";
}

/**
 * Steps after which the places `ranks` hold what sorting all `count` values would put there; what has no part in that is left
 * out. The steps do not depend on the values, so that one step can work on the elements of two whole tensors.
 *
 * @see Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M (Batcher's merge exchange)
 */
export function sortingSteps(count: number, ranks: readonly number[]): readonly SortingStep[] {
  const wanted = new Set(ranks);
  const steps: SortingStep[] = [];
  for (const [low, high] of exchanges(count).toReversed()) {
    const [isLow, isHigh] = [wanted.has(low), wanted.has(high)];
    if (!isLow && !isHigh) continue;
    steps.push({ low, high, keeps: isLow && isHigh ? "both" : isLow ? "low" : "high" });
    wanted.add(low).add(high);
  }
  return steps.toReversed();
}

function exchanges(count: number): (readonly [low: number, high: number])[] {
  const found: (readonly [number, number])[] = [];
  const top = 2 ** Math.max(0, Math.ceil(Math.log2(count)) - 1);
  for (let part = top; part >= 1; part /= 2) {
    let [distance, span, rest] = [part, top, 0];
    for (;;) {
      for (let low = 0; low + distance < count; low++) if ((low & part) === rest) found.push([low, low + distance]);
      if (span === part) break;
      [distance, span, rest] = [span - part, span / 2, part];
    }
  }
  return found;
}
