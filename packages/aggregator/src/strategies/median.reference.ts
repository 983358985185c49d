import { type Rational, rationalOf } from "../fed-avg.reference.js";

/** The exact middle of values, or of the two in the middle, as a rational number. */
export function exactMedian(values: readonly number[]): Rational {
  const sorted = [...values].sort((a, b) => a - b);
  const a = rationalOf(sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN);
  const b = rationalOf(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN);
  return { over: a.over * b.under + b.over * a.under, under: 2n * a.under * b.under };
}

/** The float32 nearest to a rational number, ties to even, found by comparing with its neighbours; zero is +0. */
export function nearestFloat32(exact: Rational): number {
  // 200 bits after the point are more than a float32 has.
  const guess = Math.fround(Number((exact.over << 200n) / exact.under) * 2 ** -200);
  const candidates = [-1, 0, 1].map((offset) => neighbour(guess, offset)).filter(Number.isFinite);
  const [best = Number.NaN] = candidates.sort((a, b) => {
    const difference = compareDistances(exact, a, b);
    return difference === 0 ? lastBit(a) - lastBit(b) : difference;
  });
  return best + 0;
}

function neighbour(value: number, offset: number): number {
  // Numbered so that -0 and +0 are one, and neighbours are one apart.
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  const bits = view.getInt32(0);
  const ordinal = (bits < 0 ? -2147483648 - bits : bits) + offset;
  view.setInt32(0, ordinal < 0 ? -2147483648 - ordinal : ordinal);
  return view.getFloat32(0);
}

function lastBit(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return view.getUint32(0) & 1;
}

/** Below 0 where `a` is nearer to the exact number than `b` is. */
function compareDistances(exact: Rational, a: number, b: number): number {
  const from = (value: number): Rational => {
    const { over, under } = rationalOf(value);
    const difference = exact.over * under - over * exact.under;
    return { over: difference < 0n ? -difference : difference, under: exact.under * under };
  };
  const [left, right] = [from(a), from(b)];
  const difference = left.over * right.under - right.over * left.under;
  return difference === 0n ? 0 : Number(difference > 0n) * 2 - 1;
}
