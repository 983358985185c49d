import { lstat, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { type StudyOptions, withAdminInStudy } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { bytesText } from "../../terminal/quantities.js";
import { tellAway } from "../../terminal/tell-away.js";
import { transferProgress } from "../../terminal/transfer-progress.js";
import { nameText } from "./name-text.js";
import { parseJobId } from "./parse-job-id.js";

/** What `flare job download` is given. */
export interface DownloadJobOptions extends StudyOptions {
  readonly jobId: string;
  readonly output: string;
  readonly isForced: boolean;
}

/**
 * Downloads the result of a job into a folder of its own.
 *
 * @throws FlareError `cli/output-exists`.
 */
export async function downloadJob(context: CommandContext, options: DownloadJobOptions): Promise<CommandOutput> {
  const jobId = parseJobId(options.jobId);
  const output = resolve(context.cwd, options.output);
  const target = join(output, jobId);
  if (!options.isForced && (await isTaken(target)))
    throw new FlareError("cli/output-exists", `${target} is already there.`, { facts: { folder: target } });
  return await withAdminInStudy(context, options, async (session) => {
    const { dir, files, evaluations } = await session.downloadJob(jobId, output, {
      onProgress: transferProgress(context.terminal, "Receiving"),
      onAway: tellAway(context.terminal),
      signal: context.signal,
      isReplacing: options.isForced,
    });
    const lines = [
      ...files.map(({ path, hash, size }) => `  ${path}  ${bytesText(size)}  sha256 ${hash}`),
      ...evaluations.map(({ path, evaluation: { workflow, models } }) => {
        const of = workflow === undefined ? "" : `  of ${nameText(workflow)}`;
        return `  ${path}  ${models.length} ${models.length === 1 ? "model" : "models"} evaluated${of}`;
      }),
    ];
    return {
      data: {
        job_id: jobId,
        dir,
        files: files.map(({ path, hash, size }) => ({ path, sha256: hash, bytes: size })),
        evaluations: evaluations.map(({ path, evaluation: { workflow } }) => ({ path, workflow: workflow ?? null })),
      },
      text: lines.length === 0 ? [`Downloaded to ${dir}; the job has made no model.`] : [`Downloaded to ${dir}:`, ...lines],
    };
  });
}

/** Whether something is there; an empty folder is nothing. */
async function isTaken(path: string): Promise<boolean> {
  const info = await lstat(path).catch(() => undefined);
  return info !== undefined && (!info.isDirectory() || (await readdir(path)).length > 0);
}
