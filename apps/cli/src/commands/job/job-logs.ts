import type { OutputLine } from "@flare-ts/runtime/admin";
import { type StudyOptions, withAdminInStudy } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { plainText } from "../../terminal/plain-text.js";
import { timeText } from "../../terminal/time-text.js";
import { parseJobId } from "./parse-job-id.js";
import { readOutput } from "./read-output.js";

/** What `flare job logs` is given. */
export interface JobLogsOptions extends StudyOptions {
  readonly jobId: string;
  readonly isFollowing: boolean;
  /** Only lines of this site. */
  readonly site: string | undefined;
}

/** Shows log lines of a job, of those sites that let theirs be read. */
export async function jobLogs(context: CommandContext, options: JobLogsOptions): Promise<CommandOutput> {
  const jobId = parseJobId(options.jobId);
  const { isFollowing, site } = options;
  const lines: OutputLine[] = [];
  let count = 0;
  await withAdminInStudy(context, options, async (session) => {
    for await (const line of readOutput(session, { jobId, kind: "lines", isFollowing, context })) {
      if (site !== undefined && line.site !== site) continue;
      count += 1;
      if (context.format === "json") lines.push(line);
      else context.report({ type: "line", ...lineData(line) }, textOf(line));
    }
  });
  return {
    data: { job_id: jobId, count, lines: lines.map(lineData) },
    text: count === 0 ? [`No site has sent log lines of job ${jobId}; a site sends them only where its operator allows it.`] : [],
  };
}

function lineData({ atMs, site, source, text }: OutputLine) {
  return { at_ms: atMs, site, source, text };
}

function textOf({ atMs, site, text }: OutputLine): string {
  return `${timeText(atMs)}  ${site}  ${plainText(text)}`;
}
