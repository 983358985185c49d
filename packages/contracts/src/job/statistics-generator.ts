import type { Json } from "../errors/flare-error.js";

/** What computes statistics at a site: a class in Python, and what it is made with. */
export interface StatisticsGenerator {
  /** `module.Class`. */
  readonly path: string;
  readonly args: Readonly<Record<string, Json>>;
}
