import type { ResourceRequest } from "@flare-ts/contracts";

const kinds = ["gpus", "cpus", "memoryBytes"] as const;
type Amounts = Readonly<Pick<ResourceRequest, (typeof kinds)[number]>>;

/** A job in the row of a site. */
export interface JobInRow {
  readonly who: string;
  /** `undefined`: it has not said yet. */
  asked: Amounts | undefined;
  hasAll: boolean;
}

/** Gives jobs what the rule of the pool gives them, one after another, each time looking at the whole row anew. */
export function giveByReference(row: readonly JobInRow[], offered: Amounts): void {
  for (;;) {
    const next = row.find((job, at) => !job.hasAll && mayHave(job, row.slice(0, at), row, offered));
    if (next === undefined) return;
    next.hasAll = true;
  }
}

function mayHave({ asked }: JobInRow, before: readonly JobInRow[], row: readonly JobInRow[], offered: Amounts): boolean {
  if (asked === undefined) return false;
  for (const kind of kinds) {
    if (asked[kind] === 0) continue;
    for (const other of before) {
      if (other.hasAll) continue;
      if (other.asked === undefined || other.asked[kind] > 0) return false;
    }
    let taken = asked[kind];
    for (const other of row) if (other.hasAll) taken += other.asked?.[kind] ?? 0;
    if (taken > offered[kind]) return false;
  }
  return true;
}
