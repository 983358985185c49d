import { randomInt } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ChaosProgress, FaultKind, JobCourse, TrainerLanguage } from "@flare-ts/chaos";
import { FlareError, type Json } from "@flare-ts/contracts";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { flareCommandPath } from "../../command-line/flare-command-path.js";
import { withFolderLock } from "../../local-federation/folder-lock.js";
import { runningServices } from "../../local-federation/running-services.js";
import { stopServices } from "../../local-federation/stop-services.js";
import { pocDefaults } from "../poc/poc-defaults.js";
import type { PocFederation } from "../poc/poc-federation.js";
import { pocFolder } from "../poc/poc-folder.js";
import { preparedFederation } from "../poc/select-services.js";
import { faultLine, reportData, reportLines } from "./chaos-report.js";
import { localKits } from "./local-kits.js";

/** What `flare chaos` is given. */
export interface ChaosOptions {
  readonly faults: number;
  readonly seed: number | undefined;
  readonly kinds: readonly FaultKind[];
  readonly trainer: TrainerLanguage;
  readonly course: JobCourse;
  readonly isForced: boolean;
}

/** Lets a job run on copies of the POC federation while faults happen to it, and reports what became of both. */
export async function chaosOnPoc(context: CommandContext, options: ChaosOptions): Promise<CommandOutput> {
  const federation = await preparedFederation(pocFolder(context.env));
  return await withFolderLock(federation.folder, () => disturb(context, options, federation));
}

async function disturb(context: CommandContext, options: ChaosOptions, federation: PocFederation): Promise<CommandOutput> {
  const kits = await localKits(federation);
  const running = await runningServices(federation.services);
  if (running.length > 0) {
    if (!options.isForced) throw new FlareError("poc/running", `Still running: ${running.join(", ")}.`, { facts: { running } });
    await stopServices(federation.services, pocDefaults.stopSeconds * 1000);
  }
  const { runChaos } = await import("@flare-ts/chaos");
  const { faults, kinds, trainer, course, seed = randomInt(2 ** 32) } = options;
  const folder = join(federation.folder, `chaos-${seed}-${process.pid}`);
  context.report(
    { type: "begun", seed, faults, folder },
    `Seed ${seed}: ${faults} ${faults === 1 ? "fault" : "faults"}, ${kits.sites.length} sites.`,
  );
  let phase = "undisturbed";
  let round = 0;
  const onProgress = (progress: ChaosProgress): void => {
    if (progress.type === "phase") {
      ({ phase } = progress);
      const text = phase === "undisturbed" ? `${progress.rounds} rounds in peace` : `${progress.rounds} rounds with faults`;
      context.report({ type: "phase", phase, rounds: progress.rounds }, text);
    } else if (progress.type === "entry") {
      const { event } = progress.entry;
      if (event.type === "round-opened") ({ round } = event);
      if (context.format === "jsonl") context.report({ type: "journal", phase, entry: progress.entry as unknown as Json }, "");
      context.terminal.draw([`round ${round}`]);
    } else {
      context.terminal.draw([]);
      context.report({ type: "fault", ...reportData.fault(progress.outcome), round }, faultLine(progress.outcome, round, faults));
    }
  };
  const command = { node: process.execPath, cli: flareCommandPath() };
  const report = await runChaos({ kits, command, folder, seed, faults, kinds, trainer, course, onProgress, signal: context.signal });
  const data = reportData.whole(report);
  const lines = reportLines(report);
  if (report.isGood) return { data, text: lines };
  await writeFile(join(folder, "report.json"), `${JSON.stringify(data, undefined, 2)}\n`);
  for (const line of context.format === "txt" ? lines : []) context.terminal.out(line);
  throw new FlareError(
    "poc/chaos-failed",
    `With seed ${seed} the job did not outlive the faults as it should; ${folder} holds everything.`,
    {
      problems: report.checks.filter((check) => !check.isGood).map(({ name, detail }) => ({ message: `${name}: ${detail}` })),
      facts: { seed, folder, report: data },
    },
  );
}
