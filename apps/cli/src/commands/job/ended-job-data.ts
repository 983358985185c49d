import type { Json } from "@flare-ts/contracts";
import { evaluationData } from "./evaluation-lines.js";
import type { JobEnd } from "./job-end.js";
import { roundData } from "./round-lines.js";
import type { JobReport } from "./round-report.js";

/** A job that is over as it stands in the JSON envelope. */
export function endedJobData(jobId: string, { status, reason }: JobEnd, report: JobReport): { readonly [key: string]: Json } {
  return {
    job_id: jobId,
    status,
    reason,
    rounds: report.rounds.map(roundData),
    best: report.best ?? null,
    evaluations: report.evaluations.evaluations.map(evaluationData),
    statistics: report.statistics.map(({ path, result }) => ({ path, result: result as unknown as Json })),
  };
}
