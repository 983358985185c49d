import { setTimeout as sleep } from "node:timers/promises";
import { FlareError } from "@flare-ts/contracts";
import type { AdminSession, JournalEntry } from "@flare-ts/runtime/admin";

export interface FollowJobInit {
  readonly connect: (signal: AbortSignal) => Promise<AdminSession>;
  readonly jobId: string;
  /** Hears each entry once. */
  readonly onEntry: (entry: JournalEntry) => void;
  readonly signal: AbortSignal;
}

const retryMs = 200;
/** A watch without any news for so long is begun anew: a link may be gone without either end knowing. */
const staleMs = 30_000;

/** Follows a job to its end through any number of restarts and cuts, and gives its journal. */
export async function followJob({ connect, jobId, onEntry, signal }: FollowJobInit): Promise<readonly JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for (;;) {
    const stale = new AbortController();
    const timer = setTimeout(() => stale.abort(), staleMs);
    try {
      const both = AbortSignal.any([signal, stale.signal]);
      const admin = await connect(both);
      try {
        for await (const entry of admin.watchJob(jobId, { signal: both })) {
          timer.refresh();
          if (entry.seq <= (entries.at(-1)?.seq ?? 0)) continue;
          entries.push(entry);
          onEntry(entry);
          if (entry.event.type === "job-ended") return entries;
        }
      } finally {
        admin.close();
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!stale.signal.aborted && !isWorthRetrying(error)) throw error;
    } finally {
      clearTimeout(timer);
    }
    await sleep(retryMs, undefined, { signal });
  }
}

/** Calls something until it succeeds, over cuts and restarts. */
export async function insist<Result>(action: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
  for (;;) {
    try {
      return await action();
    } catch (error) {
      signal.throwIfAborted();
      if (!isWorthRetrying(error)) throw error;
    }
    await sleep(retryMs, undefined, { signal });
  }
}

/** A wrong clock makes a server refuse for a while whom it would let in otherwise. */
function isWorthRetrying(error: unknown): boolean {
  const { code, row } = FlareError.from(error);
  return row.isRetryable || code.startsWith("auth/");
}
