import { useMemo, useState } from "react";
import { type JobView, JournalFold } from "../jobs/fold-journal.js";
import type { JournalEntry } from "../jobs/job-event.js";
import { useJobEvents } from "./job-streams.js";

/** What a job's journal says so far; it grows while the job runs. */
export function useJobView(jobId: string): JobView {
  const items = useJobEvents(jobId).data?.items ?? nothing;
  const [fold] = useState(() => new JournalFold());
  return useMemo(() => fold.take(items as readonly unknown[] as readonly JournalEntry[]), [fold, items]);
}

const nothing: readonly never[] = [];
