import { resolve } from "node:path";
import type { Json } from "@flare-ts/contracts";
import { otlpTrace } from "@flare-ts/runtime/admin";
import { type StudyOptions, withAdminInStudy } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { writeNewFile } from "../../command-line/write-new-file.js";
import { parseJobId } from "./parse-job-id.js";
import type { RoundRange } from "./round-range.js";
import { keyLine, traceLines } from "./trace-lines.js";

/** What `flare job trace` is given. */
export interface JobTraceOptions extends StudyOptions {
  readonly jobId: string;
  readonly rounds: RoundRange | undefined;
  readonly otlpFile: string | undefined;
}

/** Rounds that are shown where nobody says which. */
const lastRounds = 10;

/**
 * Shows where the time of a job went.
 *
 * @throws FlareError `cli/output-exists`, `file/unwritable`
 */
export async function jobTrace(context: CommandContext, options: JobTraceOptions): Promise<CommandOutput> {
  const jobId = parseJobId(options.jobId);
  const trace = await withAdminInStudy(context, options, (session) => session.trace(jobId, context.signal));
  const nowMs = Date.now();
  if (options.otlpFile !== undefined) {
    const file = resolve(context.cwd, options.otlpFile);
    await writeNewFile(file, `${JSON.stringify(otlpTrace(trace, nowMs))}\n`);
    return { data: { job_id: jobId, file, rounds: trace.rounds.length }, text: [`Wrote ${file}: ${countText(trace.rounds.length)}.`] };
  }
  const { first, last } = options.rounds ?? { first: trace.rounds.at(-lastRounds)?.round ?? 0, last: Number.POSITIVE_INFINITY };
  const rounds = trace.rounds.filter(({ round }) => round >= first && round <= last);
  const { colors, isInteractive } = context.terminal;
  const columns = isInteractive ? context.terminal.columns : undefined;
  const hidden = trace.rounds.length - rounds.length;
  return {
    data: { job_id: jobId, rounds: rounds as unknown as Json },
    text:
      rounds.length === 0
        ? [trace.rounds.length === 0 ? "No round has begun yet." : `No such round; the job has ${countText(trace.rounds.length)}.`]
        : [...rounds.flatMap((round) => traceLines(round, { colors, columns, nowMs })), keyLine],
    hints:
      hidden > 0 && rounds.length > 0
        ? [`${countText(hidden)} of this job more: --rounds ${trace.rounds[0]?.round}-${trace.rounds.at(-1)?.round}`]
        : [],
  };
}

function countText(rounds: number): string {
  return `${rounds} ${rounds === 1 ? "round" : "rounds"}`;
}
