import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A limit that the kernel keeps: whoever goes beyond it is killed. */
export interface MemoryGroup {
  /** How many processes were killed for it. */
  kills(): Promise<number>;
  /** The most that was held, in bytes, files that the kernel keeps at hand included; `undefined` where it does not say. */
  peak(): Promise<number | undefined>;
  /** Puts a process back where it was, with what it starts from then on. */
  release(pid: number): Promise<void>;
  /** Ends the group once its processes have ended. */
  remove(): Promise<void>;
}

/** Where cgroups are, in a test another place. */
export interface MemoryGroupPlaces {
  readonly root: string;
  /** The file that says which group this process is in. */
  readonly own: string;
}

const systemPlaces: MemoryGroupPlaces = { root: "/sys/fs/cgroup", own: "/proc/self/cgroup" };

/**
 * Puts a process, and all that it will start, into a new cgroup with a limit on its memory and no swap; version 2, or the controller
 * of version 1 for memory. Gives the reason, as a part of a sentence, where that cannot be done.
 */
export async function limitMemory(
  pid: number,
  limitBytes: number,
  { root, own }: MemoryGroupPlaces = systemPlaces,
): Promise<MemoryGroup | { readonly reason: string }> {
  const text = await textOf(own);
  const [, older] = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(text) ?? [];
  if (older !== undefined) return tryGroup(join(root, "memory", older), olderFiles, pid, limitBytes);
  if (!(await holdsMemory(join(root, "cgroup.controllers")))) return { reason: "this system has no cgroup for memory" };
  const [, group = "/"] = /^0::(.*)$/m.exec(text) ?? [];
  let reason = "no cgroup lets its members be limited";
  // A group with processes of its own cannot limit members, but one above may.
  for (let parent = group; ; parent = dirname(parent)) {
    if (await holdsMemory(join(root, parent, "cgroup.subtree_control"))) {
      const made = await tryGroup(join(root, parent), files, pid, limitBytes, join(root, group));
      if (!("reason" in made)) return made;
      ({ reason } = made);
    }
    if (parent === dirname(parent)) return { reason };
  }
}

/** Names of a version's files; `swap` counts memory and swap together in version 1. */
interface GroupFiles {
  readonly limit: string;
  readonly swap: string;
  readonly swapBytes: (limitBytes: number) => number;
  readonly peak: string;
  readonly events: string;
}

const files: GroupFiles = {
  limit: "memory.max",
  swap: "memory.swap.max",
  swapBytes: () => 0,
  peak: "memory.peak",
  events: "memory.events",
};

const olderFiles: GroupFiles = {
  limit: "memory.limit_in_bytes",
  swap: "memory.memsw.limit_in_bytes",
  swapBytes: (limitBytes) => limitBytes,
  peak: "memory.max_usage_in_bytes",
  events: "memory.oom_control",
};

async function tryGroup(
  parent: string,
  names: GroupFiles,
  pid: number,
  limitBytes: number,
  home = parent,
): Promise<MemoryGroup | { readonly reason: string }> {
  try {
    return await makeGroup(join(parent, `flare-bench-${pid}`), names, pid, limitBytes, home);
  } catch (cause) {
    return { reason: `a cgroup cannot be made: ${cause instanceof Error ? cause.message : String(cause)}` };
  }
}

async function makeGroup(path: string, names: GroupFiles, pid: number, limitBytes: number, home: string): Promise<MemoryGroup> {
  await mkdir(path);
  try {
    await writeFile(join(path, names.limit), String(limitBytes));
    // Absent where the kernel does not count swap.
    await writeFile(join(path, names.swap), String(names.swapBytes(limitBytes)), { flag: "r+" }).catch(() => {});
    await writeFile(join(path, "cgroup.procs"), String(pid));
  } catch (cause) {
    await rmdir(path).catch(() => {});
    throw cause;
  }
  return {
    kills: async () => Number(/^oom_kill (\d+)$/m.exec(await textOf(join(path, names.events)))?.[1] ?? 0),
    peak: async () => {
      const peak = await textOf(join(path, names.peak));
      return peak === "" ? undefined : Number(peak);
    },
    release: (process) => writeFile(join(home, "cgroup.procs"), String(process)),
    // It may be busy for a moment after its last process; what stays is empty and limits nobody.
    remove: () => rmdir(path).catch(() => {}),
  };
}

async function holdsMemory(file: string): Promise<boolean> {
  return (await textOf(file)).trim().split(/\s+/).includes("memory");
}

async function textOf(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => "");
}
