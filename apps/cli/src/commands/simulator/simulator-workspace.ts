import { readFile, realpath, rm } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { writeDurably } from "@flare-ts/provision/kit";
import type { CommandContext } from "../../command-line/command-context.js";
import { namesBesideLock } from "../../local-federation/folder-lock.js";
import type { LocalService } from "../../local-federation/local-service.js";
import { plainText } from "../../terminal/plain-text.js";
import { timeText } from "../../terminal/time-text.js";
import { endProcesses } from "./end-processes.js";

/** What a run writes into its workspace before anything else: what in there is its own, and which processes it may have left. */
export interface SimulationRecord {
  readonly schema_version: "1";
  /** Name of the job's folder. */
  readonly job: string;
  readonly started_ms: number;
  readonly server: string;
  readonly clients: readonly string[];
  readonly admin: string;
}

// No name of a site begins with a dot.
const recordName = ".simulator.json";

/** Folder in the workspace for what is under way. */
export const scratchName = ".simulator";

/** The processes of a run, each with its folder in the workspace; server first. */
export function servicesOf(workspace: string, { server, clients }: SimulationRecord): readonly LocalService[] {
  return [
    { name: server, kind: "server", kit: join(workspace, server) },
    ...clients.map((name): LocalService => ({ name, kind: "client", kit: join(workspace, name) })),
  ];
}

/** Writes down that a run begins, before it makes anything. */
export async function writeRecord(workspace: string, record: SimulationRecord): Promise<void> {
  await writeDurably(join(workspace, recordName), `${JSON.stringify(record, undefined, 2)}\n`);
}

/** Removes what a run has made in its workspace, and nothing that others have put there. */
export async function removeRun(workspace: string, record: SimulationRecord): Promise<void> {
  const own = [scratchName, record.server, ...record.clients, record.admin];
  for (const name of [...own, recordName]) await rm(join(workspace, name), { recursive: true, force: true });
}

/**
 * Makes room for a run: ends what an earlier one has left running, removes what it has made, and says both.
 *
 * @throws FlareError `simulator/foreign-folder` when anything else is in the way; nothing is removed then
 */
export async function makeRoom(context: Pick<CommandContext, "report">, workspace: string, next: SimulationRecord): Promise<void> {
  const record = await readRecord(workspace);
  const own = record === undefined ? [] : [recordName, scratchName, record.server, ...record.clients, record.admin];
  const others = (await namesBesideLock(workspace)).filter((name) => !own.includes(name));
  const wanted = [next.server, ...next.clients, next.admin];
  const inTheWay = record === undefined ? others : others.filter((name) => wanted.includes(name));
  if (inTheWay.length > 0) {
    throw new FlareError(
      "simulator/foreign-folder",
      `${workspace} holds what flare simulator did not make: ${inTheWay.slice(0, 3).join(", ")}.`,
      {
        facts: { folder: workspace, names: inTheWay },
      },
    );
  }
  if (record === undefined) return;
  const ended = await endProcesses(workspace, servicesOf(workspace, record));
  if (ended.length > 0)
    context.report({ type: "ended-leftovers", names: ended }, `Ended what an earlier run has left running: ${ended.join(", ")}.`);
  await removeRun(workspace, record);
  const what = `job ${plainText(record.job)} of ${timeText(record.started_ms)}`;
  context.report({ type: "replaced", job: record.job, started_ms: record.started_ms }, `Replaces the run of ${what} in ${workspace}.`);
}

/**
 * Makes sure that neither folder lies in the other: a run would send its own workspace along with the job, or remove the job.
 *
 * @throws FlareError `cli/invalid-arguments`
 */
export async function refuseNested(workspace: string, jobFolder: string): Promise<void> {
  const [outer, job] = await Promise.all([realFolder(workspace), realpath(jobFolder)]);
  if (contains(job, outer))
    throw new FlareError("cli/invalid-arguments", `The workspace ${workspace} lies in the job folder; name another by -w.`);
  if (contains(outer, job))
    throw new FlareError("cli/invalid-arguments", `The job folder lies in the workspace ${workspace}; name another by -w.`);
}

function contains(outer: string, inner: string): boolean {
  const way = relative(outer, inner);
  return way === "" || !(way === ".." || way.startsWith("../"));
}

/** Where a folder really lies, or will lie that is not there yet. */
async function realFolder(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : resolve(await realFolder(parent), relative(parent, path));
  }
}

async function readRecord(workspace: string): Promise<SimulationRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(join(workspace, recordName), "utf8")) as SimulationRecord;
    const names: readonly unknown[] = [record.job, record.server, record.admin, ...record.clients];
    const isOurs = names.every((name) => typeof name === "string" && !/[/\\]|^\.*$/.test(name));
    return isOurs && typeof record.started_ms === "number" ? record : undefined;
  } catch {
    return undefined;
  }
}
