import { readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { type StudyOptions, withAdminInStudy } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { bytesText } from "../../terminal/quantities.js";
import { transferProgress } from "../../terminal/transfer-progress.js";
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
  const isTaken = await readdir(target).then(
    (names) => names.length > 0,
    () => false,
  );
  if (isTaken && !options.isForced) throw new FlareError("cli/output-exists", `${target} is already there.`, { facts: { folder: target } });
  return await withAdminInStudy(context, options, async (session) => {
    if (isTaken) await rm(target, { recursive: true, force: true });
    const { dir, files } = await session.downloadJob(jobId, output, {
      onProgress: transferProgress(context.terminal, "Receiving"),
      signal: context.signal,
    });
    return {
      data: { job_id: jobId, dir, files: files.map(({ path, hash, size }) => ({ path, sha256: hash, bytes: size })) },
      text: [`Downloaded to ${dir}:`, ...files.map(({ path, hash, size }) => `  ${path}  ${bytesText(size)}  sha256 ${hash}`)],
    };
  });
}
