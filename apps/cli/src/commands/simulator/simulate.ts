import { basename, join, resolve } from "node:path";
import { FlareError, type LogConfig } from "@flare-ts/contracts";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { withFolderLock } from "../../local-federation/folder-lock.js";
import type { LocalService } from "../../local-federation/local-service.js";
import { tellAway } from "../../terminal/tell-away.js";
import { transferProgress } from "../../terminal/transfer-progress.js";
import { showRounds } from "../job/show-rounds.js";
import { datasetsBySite } from "./datasets-by-site.js";
import { planSimulation, type SimulatedSite, type SimulationWishes } from "./plan-simulation.js";
import { withRunningFederation } from "./run-federation.js";
import { settleWorkspace } from "./settle-workspace.js";
import { type SimulationOutcome, simulationOutput } from "./simulation-outcome.js";
import type { SimulatedDataset } from "./simulator-arguments.js";
import { simulatorDefaults } from "./simulator-defaults.js";
import { makeRoom, refuseNested, type SimulationRecord, scratchName, servicesOf } from "./simulator-workspace.js";
import { makeThrowAwayFederation } from "./throw-away-federation.js";
import { untilHangup } from "./until-hangup.js";

/** What `flare simulator` is given. */
export interface SimulateOptions extends SimulationWishes {
  readonly jobFolder: string;
  readonly workspace: string;
  readonly logLevel: LogConfig["level"] | undefined;
  readonly datasets: readonly SimulatedDataset[];
  /** Whether it stops when its standard input ends, and waits for a run in its workspace that may be stopping for the same reason. */
  readonly stopsWithInput: boolean;
}

/** Sites beyond so many are not named one by one. */
const mostNames = 8;

/**
 * Runs a job in a federation that is made for it, on this machine, and leaves its result and logs in the workspace.
 *
 * @throws FlareError `job/invalid`, `simulator/…`, `cli/job-not-completed`, `project/locked` when another command has the workspace,
 *   `simulator/stopped` when it was told to; no process is left in any case
 */
export async function simulate(context: CommandContext, options: SimulateOptions): Promise<CommandOutput> {
  const jobFolder = resolve(context.cwd, options.jobFolder);
  const workspace = resolve(context.cwd, options.workspace);
  const { readJobFolder } = await import("@flare-ts/runtime/admin");
  const { meta } = await readJobFolder(jobFolder, { signal: context.signal });
  const plan = planSimulation(meta, options);
  const datasets = await datasetsBySite(context.cwd, plan, options.datasets);
  await refuseNested(workspace, jobFolder);
  for (const note of plan.notes) context.report({ type: "note", text: note }, note);
  const record: SimulationRecord = {
    schema_version: "1",
    job: basename(jobFolder),
    started_ms: Date.now(),
    server: simulatorDefaults.server,
    clients: plan.sites.map(({ name }) => name),
    admin: simulatorDefaults.admin,
  };
  const services = servicesOf(workspace, record);
  const run = async (inner: CommandContext): Promise<SimulationOutcome> => {
    await makeRoom(inner, workspace, record);
    const count = record.clients.length === 1 ? "a site" : `${record.clients.length} sites`;
    const names = record.clients.length > mostNames ? "" : ` (${record.clients.join(", ")})`;
    inner.report({ type: "starting", workspace, sites: record.clients }, `A server and ${count}${names} start in ${workspace}.`);
    await makeThrowAwayFederation(inner, { workspace, record, sites: plan.sites, logLevel: options.logLevel, meta, datasets });
    return await runJob(inner, {
      jobFolder,
      workspace,
      services,
      adminKit: join(workspace, record.admin),
      sites: plan.sites,
      study: meta.study,
    });
  };
  const outcome = await untilHangup(context, options, async (inner) => {
    const onWait = (why: string): void => inner.report({ type: "note", text: `Waits: ${why}` }, `Waits: ${why}`);
    const wait = { context: inner, timeoutMs: simulatorDefaults.stopSeconds * 1000, onWait };
    try {
      return await withFolderLock(workspace, () => run(inner), options.stopsWithInput ? wait : undefined);
    } catch (cause) {
      throw inner.signal.aborted ? stopped(workspace, cause) : cause;
    }
  });
  return await simulationOutput(outcome, workspace, services);
}

interface RunJobInit {
  readonly jobFolder: string;
  readonly workspace: string;
  readonly services: readonly LocalService[];
  readonly adminKit: string;
  readonly sites: readonly SimulatedSite[];
  readonly study: string | undefined;
}

/** Submits the job, shows its rounds, and fetches the result of one that is completed. */
async function runJob(
  context: CommandContext,
  { jobFolder, workspace, services, adminKit, sites, study }: RunJobInit,
): Promise<SimulationOutcome> {
  const { connectAdmin } = await import("@flare-ts/runtime/admin");
  const { signal, terminal } = context;
  let submitted: string | undefined;
  try {
    return await withRunningFederation(context, { workspace, services, sites }, async () => {
      const session = await connectAdmin({ kitDir: adminKit, study, signal });
      try {
        const onAway = tellAway(terminal);
        const { jobId } = await session.submitJob(jobFolder, { onAway, signal });
        submitted = jobId;
        const report = await showRounds(context, session, jobId);
        const { end } = report;
        if (end === undefined) throw stopped(workspace);
        if (end.status !== "FINISHED:COMPLETED") return { jobId, report, end, files: [] };
        const onProgress = transferProgress(terminal, "Receiving");
        const { files } = await session.downloadJob(jobId, join(workspace, scratchName), { onProgress, onAway, signal });
        return { jobId, report, end, files };
      } finally {
        session.close();
      }
    });
  } finally {
    if (submitted !== undefined) await settleWorkspace(workspace, services, submitted);
  }
}

function stopped(workspace: string, cause?: unknown): FlareError {
  return new FlareError("simulator/stopped", "The run was stopped before its job was over; none of its processes is left.", {
    facts: { workspace },
    cause,
  });
}
