/** How long memory is kept when nobody takes or gives any back: a round of training brings the next transfer within it. */
const keptMs = 10_000;

export interface SpareMemoryInit {
  /** Pieces that are kept while nobody uses them. @default 32 */
  readonly most?: number | undefined;
  /** For how long after the last use, in milliseconds. @default 10000 */
  readonly keptMs?: number | undefined;
}

/**
 * Pieces of memory that serve again, the one that was given back last first, as the processor's cache still has it. What is only dropped
 * lies there until V8 collects everything, which it puts off for as long as tens of megabytes: enough pieces are kept for all that are in
 * use at once to come back, and none for long after.
 */
export class SpareMemory<Piece> {
  readonly #make: () => Piece;
  readonly #most: number;
  readonly #keptMs: number;
  readonly #spare: Piece[] = [];
  #letGo: NodeJS.Timeout | undefined;

  constructor(components: { readonly make: () => Piece }, init: SpareMemoryInit = {}) {
    this.#make = components.make;
    this.#most = init.most ?? 32;
    this.#keptMs = init.keptMs ?? keptMs;
  }

  /** A piece with anything in it. */
  take(): Piece {
    this.#letGo?.refresh();
    return this.#spare.pop() ?? this.#make();
  }

  /** Nobody looks at the piece any more. Harmless for one that was given back already. */
  giveBack(piece: Piece): void {
    if (this.#spare.length >= this.#most || this.#spare.includes(piece)) return;
    this.#spare.push(piece);
    this.#letGo ??= setTimeout(() => {
      this.#spare.length = 0;
      this.#letGo = undefined;
    }, this.#keptMs).unref();
    this.#letGo.refresh();
  }
}
