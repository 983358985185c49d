import type { LentRows } from "../device/combine-device.js";

/** Rows that lie where the GPU fetches values, in a mapped buffer with room for a call's settings behind them. */
export class LentTile implements LentRows {
  readonly values: readonly Float32Array[];
  /** All of the buffer, for as long as it is mapped. */
  readonly range: ArrayBuffer;
  readonly staged: GPUBuffer;
  /** Resolves once it was released. */
  readonly released: Promise<void>;
  readonly #resolve: () => void;
  #isTaken = false;

  /** @param staged - mapped, and nobody else's */
  constructor(staged: GPUBuffer, updates: number, elements: number) {
    this.staged = staged;
    this.range = staged.getMappedRange();
    this.values = Array.from({ length: updates }, (_, i) => new Float32Array(this.range, 4 * i * elements, elements));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.released = promise;
    this.#resolve = resolve;
  }

  /** Whether a call is over these rows, all of them and nothing else. */
  isIn(values: readonly Float32Array[]): boolean {
    return !this.#isTaken && values.length === this.values.length && values.every((row, i) => row === this.values[i]);
  }

  /** Gives the buffer to a call; the rows are gone with it. */
  take(): void {
    this.#isTaken = true;
  }

  /** Where no call has taken the buffer it is destroyed: what is mapped can be seen once only. */
  release(): void {
    if (!this.#isTaken) this.staged.destroy();
    this.#isTaken = true;
    this.#resolve();
  }
}
