/** A rational number: numerator over a divisor above 0. */
export interface Rational {
  readonly over: bigint;
  readonly under: bigint;
}

/** A finite float64 as the rational that it is. */
export function rationalOf(value: number): Rational {
  let under = 1n;
  let scaled = value;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    under *= 2n;
  }
  return { over: BigInt(scaled), under };
}

/** The exact weighted mean, slow and obvious. */
export function exactMean(values: readonly number[], weights: readonly number[]): Rational {
  const sum = (terms: readonly Rational[]): Rational => terms.reduce(add, { over: 0n, under: 1n });
  const top = sum(values.map((value, index) => multiply(rationalOf(value), rationalOf(weights[index] ?? 0))));
  const bottom = sum(weights.map(rationalOf));
  return { over: top.over * bottom.under, under: top.under * bottom.over };
}

/**
 * The rule that every exact engine follows, in whole numbers: each weight × value rounded to a multiple of 2^-gridBits (to
 * nearest, ties to even), their sum rounded to float64, divided by the total weight in float64.
 */
export function ruleMean(values: readonly number[], weights: readonly number[], gridBits: number): number {
  let steps = 0n;
  for (const [index, value] of values.entries()) {
    // Rounded to float64 first, which changes nothing for values of at most 24 bits.
    const term = rationalOf(value * (weights[index] ?? 0));
    steps +=
      gridBits >= 0 ? roundHalfEven(term.over << BigInt(gridBits), term.under) : roundHalfEven(term.over, term.under << BigInt(-gridBits));
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return (Number(steps) * 2 ** -gridBits) / total;
}

/** |a - b| as a float64, good to many digits, for comparing with a bound. */
export function distance(a: Rational, b: Rational): number {
  const difference = add(a, { over: -b.over, under: b.under });
  const magnitude = difference.over < 0n ? -difference.over : difference.over;
  // 1100 bits keep the quotient of any two float64 above 0.
  return scaleDown(Number((magnitude << 300n) / difference.under), 300);
}

function scaleDown(value: number, bits: number): number {
  return value * 2 ** -bits;
}

function add(a: Rational, b: Rational): Rational {
  return { over: a.over * b.under + b.over * a.under, under: a.under * b.under };
}

function multiply(a: Rational, b: Rational): Rational {
  return { over: a.over * b.over, under: a.under * b.under };
}

function roundHalfEven(over: bigint, under: bigint): bigint {
  const floor = over >= 0n ? over / under : -((-over + under - 1n) / under);
  const rest = over - floor * under;
  if (2n * rest > under) return floor + 1n;
  if (2n * rest < under) return floor;
  return floor % 2n === 0n ? floor : floor + 1n;
}
