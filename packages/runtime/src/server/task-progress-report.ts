/** How far a site is with its task, as it last said. */
export interface TaskProgressReport {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  /** What it waits for, or what moved last. */
  readonly reason: string;
  /** How long ago that was, by the site's clock. */
  readonly stillMs: number;
  readonly atMs: number;
}
