/** A value that a training script tracked. */
export interface TrackedPoint {
  /** 1, 2, 3 … within the job. */
  readonly seq: number;
  /** By the site's clock. */
  readonly atMs: number;
  readonly site: string;
  readonly key: string;
  readonly value: number;
  readonly round: number | null;
  /** The script's own count, where it gives one. */
  readonly step: number | null;
}

/** Who said a log line: the training script, or the runtime about the job. */
export type LogSource = "trainer" | "job";

/** A line of a job's log at a site. */
export interface OutputLine {
  /** 1, 2, 3 … within the job. */
  readonly seq: number;
  /** When it was read, by the site's clock. */
  readonly atMs: number;
  readonly site: string;
  readonly source: LogSource;
  readonly text: string;
}

/** A part of what the sites of a job said. */
export interface OutputPage<Entry> {
  readonly entries: readonly Entry[];
  /** Whether more can be read after the last of these. */
  readonly hasMore: boolean;
  /** Whether entries are gone: the oldest for want of room, or some that a site had no room for. */
  readonly isCut: boolean;
}

/** What is told to those who follow what the sites of a job say. */
export interface OutputNews {
  readonly metrics: readonly TrackedPoint[];
  readonly lines: readonly OutputLine[];
}
