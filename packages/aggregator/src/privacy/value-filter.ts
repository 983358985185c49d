/**
 * A filter at work on the values of one update. All floating values come in chunks, in the same order each time: first `looks` times to
 * be looked at, then once to be changed.
 */
export interface ValueFilter {
  readonly looks: number;
  /** @param turn - which of the looks this is, from 0 */
  look(values: Float64Array, turn: number): void;
  /** All values were looked at once more. */
  looked(turn: number): void;
  change(values: Float64Array): void;
}
