/** `25M`: a number of things, short enough for an axis. */
export function axisCount(count: number): string {
  if (count >= 1e9) return `${+(count / 1e9).toPrecision(3)}G`;
  if (count >= 1e6) return `${+(count / 1e6).toPrecision(3)}M`;
  return count >= 1e4 ? `${+(count / 1e3).toPrecision(3)}k` : String(count);
}

/** A number without zeros at its end. */
export function axisNumber(value: number): string {
  return String(+value.toPrecision(3));
}
