/**
 * The sum of numbers, rounded once: the same in whatever order they come, and whichever of them were grouped before. Beyond what a number
 * can hold it is that of adding one by one.
 *
 * @see Shewchuk, "Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates", 1997
 */
export function exactSum(values: readonly number[]): number {
  /** What has been added so far is exactly their sum; none of them overlaps with another, and they grow. */
  let partials: number[] = [];
  for (const value of values) {
    let carried = value;
    const next: number[] = [];
    for (const partial of partials) {
      const [large, small] = Math.abs(carried) < Math.abs(partial) ? [partial, carried] : [carried, partial];
      const sum = large + small;
      const lost = small - (sum - large);
      if (lost !== 0) next.push(lost);
      carried = sum;
    }
    partials = [...next, carried];
  }
  const sum = roundedSum(partials);
  return Number.isFinite(sum) ? sum : values.reduce((before, value) => before + value, 0);
}

/** Of partials that do not overlap: from the largest down until something is lost, and then to even as if all of it were there. */
function roundedSum(partials: readonly number[]): number {
  let at = partials.length - 1;
  let sum = partials[at] ?? 0;
  let lost = 0;
  while (at > 0 && lost === 0) {
    at -= 1;
    const before = sum;
    const partial = partials[at] ?? 0;
    sum = before + partial;
    lost = partial - (sum - before);
  }
  // Halfway between two numbers what is below decides.
  const below = at > 0 ? (partials[at - 1] ?? 0) : 0;
  if ((lost < 0 && below < 0) || (lost > 0 && below > 0)) {
    const twice = lost * 2;
    const up = sum + twice;
    if (twice === up - sum) return up;
  }
  return sum;
}
