import { open } from "node:fs/promises";
import { join } from "node:path";
import { FlareError, type Json, type Problem } from "@flare-ts/contracts";
import type { ResultFile } from "@flare-ts/runtime/admin";
import type { CommandOutput } from "../../command-line/command-context.js";
import type { LocalService } from "../../local-federation/local-service.js";
import { bytesText } from "../../terminal/quantities.js";
import { endedJobData } from "../job/ended-job-data.js";
import { endText, type JobEnd } from "../job/job-end.js";
import type { JobReport } from "../job/round-report.js";
import { resultFolder } from "./settle-workspace.js";
import { jobFolderName } from "./simulator-defaults.js";

/** What came of the job of a simulation. */
export interface SimulationOutcome {
  readonly jobId: string;
  readonly report: JobReport;
  readonly end: JobEnd;
  /** Of the result; relative to its folder. */
  readonly files: readonly ResultFile[];
}

/** What is shown of the end of a training script's log, at most. */
const tail = { sites: 3, lines: 12, bytes: 16_384 };

/**
 * Says what came of a simulation, and where its model and its logs are.
 *
 * @throws FlareError `cli/job-not-completed`, with what the training scripts of the sites that failed have printed last
 */
export async function simulationOutput(
  { jobId, report, end, files }: SimulationOutcome,
  workspace: string,
  services: readonly LocalService[],
): Promise<CommandOutput> {
  const dir = resultFolder(workspace, services);
  const logs = Object.fromEntries(services.map(({ name, kit }) => [name, join(kit, "log.txt")]));
  const logLine = `Logs: ${join(workspace, "<name>", "log.txt")} of the server and each site, ${join(workspace, "<site>", jobFolderName, "trainer.log")} of each training script.`;
  if (end.status !== "FINISHED:COMPLETED") {
    const { status, reason } = end;
    throw new FlareError("cli/job-not-completed", `Job ${jobId} ended as ${status}: ${reason}`, {
      problems: [...(await lastWords(report, services)), { message: logLine }],
      facts: { jobId, status, reason, workspace, logs },
    });
  }
  const lines = files.map(({ path, hash, size }) => `  ${path}  ${bytesText(size)}  sha256 ${hash}`);
  const result: Json = { dir, files: files.map(({ path, hash, size }) => ({ path, sha256: hash, bytes: size })) };
  return {
    data: { ...endedJobData(jobId, end, report), workspace, result, logs },
    text: [
      endText(jobId, end),
      files.length === 0 ? `The job has made no model; its folder is ${dir}.` : `Result in ${dir}:`,
      ...lines,
      logLine,
    ],
  };
}

/** What the training scripts of those sites printed last that could not do a task. */
async function lastWords({ rounds }: JobReport, services: readonly LocalService[]): Promise<readonly Problem[]> {
  const failed = new Set(rounds.flatMap(({ failures }) => failures.map(({ site }) => site)));
  const kits = services.filter(({ name }) => failed.has(name)).slice(0, tail.sites);
  const logs = kits.map(({ kit }) => join(kit, jobFolderName, "trainer.log"));
  const problems = await Promise.all(logs.map(async (log) => [log, await lastLines(log)] as const));
  return problems.flatMap(([log, lines]) => (lines.length === 0 ? [] : [{ message: [`${log} ends with:`, ...lines].join("\n  ") }]));
}

async function lastLines(path: string): Promise<readonly string[]> {
  const file = await open(path).catch(() => undefined);
  try {
    const size = (await file?.stat())?.size ?? 0;
    const bytes = Buffer.alloc(Math.min(size, tail.bytes));
    await file?.read(bytes, 0, bytes.byteLength, size - bytes.byteLength);
    const lines = bytes.toString().split("\n");
    return lines.filter((line) => line.trim() !== "").slice(-tail.lines);
  } finally {
    await file?.close();
  }
}
