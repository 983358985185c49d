import { FlareError } from "@flare-ts/contracts/errors";

/** Squared distances beyond this would overflow in sums; only float64 tensors can lie so far apart. */
const farthest = 2 ** 1000;

/** Makes the least smoothing and distances that there are large enough to divide by, and those up to 2^500 not too large. A power of two: no bit of a part depends on it. */
const unit = 2 ** 400;

export interface WeiszfeldInit {
  readonly iterations: number;
  readonly tolerance: number;
  readonly smoothing: number;
}

/**
 * The geometric median of points of which only the distances are known, as the parts that each point has in it; they add up
 * to 1.
 *
 * With z = Σ a_k x_k and all points seen from one of them, the pivot, ‖z - x_i‖² = aᵀGa - 2 (Ga)_i + G_ii, where G holds the
 * inner products. Seen from the origin, or from a point that somebody put far away, those terms would be large and their
 * difference lost; the pivot is therefore the point with the nearest neighbourhood.
 *
 * @param squaredDistances - entry `i * n + j`; a point that is more than 2^500 from the pivot has no part
 * @param weights - above 0, one for each point
 * @throws `aggregate/strategy-unfit` when half of the points are so far from each of the others
 */
export function weiszfeldShares(squaredDistances: Float64Array, weights: readonly number[], init: WeiszfeldInit): Float64Array {
  const { iterations, tolerance, smoothing } = init;
  const { pivot, radius } = pivotOf(squaredDistances, weights.length);
  const products = innerProducts(squaredDistances, weights.length, pivot);
  const reach = weights.map((weight, i) => ((products.diagonal[i] as number) > farthest ? 0 : weight));
  // Begun at the mean, the iteration would come back from far points by a constant factor at a time.
  let parts = pull(reach, products.diagonal.map(Math.sqrt), Math.max(smoothing, radius));
  for (let iteration = 0; iteration < iterations; iteration++) {
    const distances = distancesTo(parts, products);
    const next = pull(reach, distances, smoothing);
    const moved = lengthOf(
      next.map((part, i) => part - (parts[i] as number)),
      products,
    );
    parts = next;
    if (moved <= tolerance * medianOf(distances)) break;
  }
  return parts;
}

/** The point whose median distance to the points is the smallest, and that distance. */
function pivotOf(squaredDistances: Float64Array, count: number): { readonly pivot: number; readonly radius: number } {
  let pivot = 0;
  let radius = Infinity;
  for (let i = 0; i < count; i++) {
    const median = medianOf(squaredDistances.subarray(i * count, (i + 1) * count));
    if (median <= farthest && Math.sqrt(median) < radius) [pivot, radius] = [i, Math.sqrt(median)];
  }
  if (radius === Infinity) {
    throw new FlareError("aggregate/strategy-unfit", "Half of the updates or more lie too far from all others for float64.", {
      facts: { strategy: "geometric-median", contributors: count },
    });
  }
  return { pivot, radius };
}

/** Inner products of the points as seen from one of them. */
interface InnerProducts {
  /** Entry `i * n + j`. */
  readonly all: Float64Array;
  /** Squared lengths. */
  readonly diagonal: Float64Array;
}

function innerProducts(squaredDistances: Float64Array, count: number, pivot: number): InnerProducts {
  const diagonal = squaredDistances.slice(pivot * count, (pivot + 1) * count);
  const all = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      const a = diagonal[i] as number;
      const b = diagonal[j] as number;
      // Points without a part stay out of all sums.
      if (a > farthest || b > farthest) continue;
      const product = (a + b - (squaredDistances[i * count + j] as number)) / 2;
      // What rounding makes of it is never more than the product of the lengths, which keeps far points from drowning near ones.
      const bound = Math.sqrt(a) * Math.sqrt(b);
      all[i * count + j] = Math.min(bound, Math.max(-bound, product));
    }
  }
  return { all, diagonal };
}

/** The parts that points have when each pulls with its weight over its distance. */
function pull(weights: readonly number[], distances: Float64Array, smoothing: number): Float64Array {
  const pulls = distances.map((distance, i) => (weights[i] as number) / (unit * Math.max(smoothing, distance)));
  const total = pulls.reduce((sum, part) => sum + part, 0);
  return pulls.map((part) => part / total);
}

/** Distances of the points to the mean of them with these parts. */
function distancesTo(parts: Float64Array, products: InnerProducts): Float64Array {
  const along = times(products.all, parts);
  const squaredLength = dot(parts, along);
  return products.diagonal.map((squared, i) => Math.sqrt(Math.max(0, squaredLength - 2 * (along[i] as number) + squared)));
}

function lengthOf(parts: Float64Array, products: InnerProducts): number {
  return Math.sqrt(Math.max(0, dot(parts, times(products.all, parts))));
}

function times(matrix: Float64Array, vector: Float64Array): Float64Array {
  const count = vector.length;
  return vector.map((_, i) => dot(matrix.subarray(i * count, (i + 1) * count), vector));
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** The upper of the two in the middle where there are two: a majority still decides it. */
function medianOf(values: Float64Array): number {
  return values.toSorted()[values.length >> 1] as number;
}
