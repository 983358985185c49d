/** Algorithm 1 of FedBuff on the server, for one element: a full buffer makes a step. */
export function bufferedStep(
  x: number,
  buffer: readonly { readonly delta: number; readonly staleness: number }[],
  { rate, exponent }: { readonly rate: number; readonly exponent: number },
): number {
  let sum = 0;
  for (const { delta, staleness } of buffer) sum += delta / (1 + staleness) ** exponent;
  return x + rate * (sum / buffer.length);
}
