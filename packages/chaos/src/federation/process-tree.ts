import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A process, as `/proc` shows it. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parentPid: number;
  readonly commandLine: string;
}

/** All processes below one, found through `/proc`. */
export function descendantsOf(pid: number): ProcessEntry[] {
  const all = allProcesses();
  const found: ProcessEntry[] = [];
  const parents = new Set([pid]);
  for (let grew = true; grew; ) {
    grew = false;
    for (const entry of all) {
      if (!parents.has(entry.parentPid) || parents.has(entry.pid)) continue;
      parents.add(entry.pid);
      found.push(entry);
      grew = true;
    }
  }
  return found;
}

/** Processes whose command line holds a text; for finding what was left behind. */
export function processesWith(text: string): ProcessEntry[] {
  return allProcesses().filter(({ pid, commandLine }) => pid !== process.pid && commandLine.includes(text));
}

/** Processes that work in a folder, or name it in their command line; for finding what a federation in it has left. */
export function processesIn(folder: string): ProcessEntry[] {
  return allProcesses().filter(
    ({ pid, commandLine }) => pid !== process.pid && (commandLine.includes(folder) || workingFolder(pid).startsWith(folder)),
  );
}

function allProcesses(): ProcessEntry[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readEntry(Number(name)) ?? []);
}

function readEntry(pid: number): ProcessEntry | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z") return undefined;
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    return { pid, parentPid: Number(fields[1]), commandLine };
  } catch {
    return undefined;
  }
}

function workingFolder(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
}
