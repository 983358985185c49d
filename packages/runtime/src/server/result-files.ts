import type { ResultFile } from "../admin/job-summary.js";
import type { JournalEntry } from "../job/job-event.js";
import { isFinished } from "../job/job-status.js";
import type { JobRecord } from "../store/server-store.js";
import { emptyModel } from "../workflow/statistics-rounds.js";

/** The models and statistics that a job has made, as they are downloaded: none of one that is not over. */
export function resultFiles(
  { status, result }: Pick<JobRecord, "status" | "result">,
  entries: readonly JournalEntry[],
): readonly ResultFile[] {
  if (!isFinished(status)) return [];
  const best = entries.flatMap(({ event }) => (event.type === "best-model" ? [event.model] : [])).at(-1);
  const statistics = entries.flatMap(({ event }) =>
    event.type === "round-closed" && event.statistics !== undefined ? [{ ...event.statistics, kind: "statistics" as const }] : [],
  );
  return [
    ...(result === undefined || result.hash === emptyModel.hash ? [] : [{ path: "models/FL_global_model.safetensors", ...result }]),
    ...(best === undefined ? [] : [{ path: "models/best_FL_global_model.safetensors", ...best }]),
    ...statistics,
  ];
}
