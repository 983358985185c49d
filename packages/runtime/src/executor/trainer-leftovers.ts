import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { bootstrapVariable, launcherVariable } from "../client/protocol.js";
import { identifyProcess, isAlive, type ProcessIdentity } from "../process/process-identity.js";

/** How long it is looked whether what was killed is gone: a process that waits for a disk goes when that answers. */
const longestMs = 5_000;

/** Between two looks. */
const lookMs = 10;

/**
 * Kills the processes that were started for some bootstrap files, whatever group or session they have moved to, and resolves when they are
 * gone. They are known by their environment, which no process of another job has. Only Linux shows it.
 */
export async function endProcessesOf(isWanted: (bootstrapPath: string) => boolean): Promise<void> {
  const endMs = performance.now() + longestMs;
  const ending = new Map<number, ProcessIdentity>();
  do {
    // What is killed has no environment from then on, and goes on for as long as its memory takes to be given back.
    for (const pid of processesOf(isWanted)) {
      const found = identifyProcess(pid);
      if (found !== undefined) ending.set(pid, found);
      kill(pid);
    }
    for (const one of ending.values()) if (!isAlive(one)) ending.delete(one.pid);
    if (ending.size > 0) await delay(lookMs);
  } while (ending.size > 0 && performance.now() < endMs);
}

/** Kills what trainers of the jobs below a folder have left, such as what one has started in a session of its own. */
export async function endTrainersBelow(folder: string): Promise<void> {
  await endProcessesOf((path) => path.startsWith(`${folder}/`) && /\/client_api_\d+\/bootstrap\.json$/.test(path));
}

function processesOf(isWanted: (bootstrapPath: string) => boolean): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^[0-9]+$/.test(name) && bootstrapsOf(name).some(isWanted))
      .map(Number);
  } catch {
    return [];
  }
}

function bootstrapsOf(pid: string): string[] {
  try {
    // A process of another user cannot be read, and one that has ended has no environment.
    const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    return variables.flatMap((start) => environment.filter((line) => line.startsWith(start)).map((line) => line.slice(start.length)));
  } catch {
    return [];
  }
}

const variables = [bootstrapVariable, launcherVariable].map((name) => `${name}=`);

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone between the look and the signal.
  }
}
