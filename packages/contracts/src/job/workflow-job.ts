/** What the defaults of a workflow depend on. */
export interface WorkflowJob {
  readonly jobId: string;
  /** Sites that take part. */
  readonly sites: readonly string[];
  /** `min_clients` of the job; `undefined` when it was not written. */
  readonly minClients: number | undefined;
}

export function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 1000);
}

/** 32-bit FNV-1a of the id: the same job draws the same sites again after a restart. */
export function seedOf(jobId: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(jobId)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
