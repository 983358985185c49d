import type { TrackedPoint } from "@flare-ts/runtime/admin";
import { type StudyOptions, withAdminInStudy } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { timeText } from "../../terminal/time-text.js";
import { nameText } from "./name-text.js";
import { parseJobId } from "./parse-job-id.js";
import { readOutput } from "./read-output.js";

/** What `flare job metrics` is given. */
export interface JobMetricsOptions extends StudyOptions {
  readonly jobId: string;
  readonly isFollowing: boolean;
}

/** Of a longer name the beginning is shown; `--format jsonl` has all of it. */
const mostNameColumns = 120;

/** Shows the values that the training scripts of a job track. */
export async function jobMetrics(context: CommandContext, options: JobMetricsOptions): Promise<CommandOutput> {
  const jobId = parseJobId(options.jobId);
  const { isFollowing } = options;
  const points: TrackedPoint[] = [];
  let count = 0;
  await withAdminInStudy(context, options, async (session) => {
    for await (const point of readOutput(session, { jobId, kind: "metrics", isFollowing, context })) {
      count += 1;
      if (context.format === "json") points.push(point);
      else context.report({ type: "metric", ...pointData(point) }, lineOf(point));
    }
  });
  return {
    data: { job_id: jobId, count, metrics: points.map(pointData) },
    text: count === 0 ? [`No training script of job ${jobId} tracked a metric.`] : [],
  };
}

function pointData({ atMs, site, key, value, round, step }: TrackedPoint) {
  return { at_ms: atMs, site, key, value, round, step };
}

function lineOf({ atMs, site, key, value, round, step }: TrackedPoint): string {
  const where = [...(round === null ? [] : [`round ${round}`]), ...(step === null ? [] : [`step ${step}`])].join(", ");
  return `${timeText(atMs)}  ${site}  ${nameText(key, mostNameColumns)} = ${value}${where === "" ? "" : `  (${where})`}`;
}
