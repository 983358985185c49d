import type { Figure } from "../result/result.ts";

/** A figure before it is measured. */
export type FigureHead = Omit<Figure, "samplesMs" | "error">;

/** Something that is measured run by run, in turns with others. */
export interface Contestant {
  readonly figures: readonly FigureHead[];
  /** Runs once; gives the milliseconds of each figure, in their order. */
  run(): Promise<readonly number[]>;
}
