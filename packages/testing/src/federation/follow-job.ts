import { setTimeout as sleep } from "node:timers/promises";
import { FlareError } from "@flare-ts/contracts";
import type { JournalEntry } from "@flare-ts/runtime/admin";
import type { Federation } from "./federation.js";

/**
 * Follows a job to its end through any number of server restarts, and gives its journal. `onEntry` hears each entry once.
 */
export async function followJob(
  federation: Federation,
  jobId: string,
  onEntry: (entry: JournalEntry) => void | Promise<void> = () => undefined,
): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for (;;) {
    try {
      const admin = await federation.admin();
      try {
        for await (const entry of admin.watchJob(jobId)) {
          if (entry.seq <= (entries.at(-1)?.seq ?? 0)) continue;
          entries.push(entry);
          await onEntry(entry);
          if (entry.event.type === "job-ended") return entries;
        }
      } finally {
        admin.close();
      }
    } catch (error) {
      if (!FlareError.from(error).row.isRetryable) throw error;
    }
    await sleep(50);
  }
}
