import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A limit that the kernel keeps: whoever goes beyond it is killed. */
export interface MemoryGroup {
  /** How many processes were killed for it. */
  kills(): Promise<number>;
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
 * Puts a process, and all that it will start, into a new cgroup v2 with a limit on its memory and no swap. Gives the reason, as a part
 * of a sentence, where that cannot be done.
 */
export async function limitMemory(
  pid: number,
  limitBytes: number,
  { root, own }: MemoryGroupPlaces = systemPlaces,
): Promise<MemoryGroup | { readonly reason: string }> {
  if (!(await holdsMemory(join(root, "cgroup.controllers")))) return { reason: "this system has no cgroup v2 for memory" };
  const [, group = "/"] = /^0::(.*)$/m.exec(await textOf(own)) ?? [];
  let reason = "no cgroup lets its members be limited";
  // A group with processes of its own cannot limit members, but one above may.
  for (let parent = group; ; parent = dirname(parent)) {
    if (await holdsMemory(join(root, parent, "cgroup.subtree_control"))) {
      try {
        return await makeGroup(join(root, parent, `flare-bench-${pid}`), pid, limitBytes);
      } catch (cause) {
        reason = `a cgroup cannot be made: ${cause instanceof Error ? cause.message : String(cause)}`;
      }
    }
    if (parent === dirname(parent)) return { reason };
  }
}

async function makeGroup(path: string, pid: number, limitBytes: number): Promise<MemoryGroup> {
  await mkdir(path);
  try {
    await writeFile(join(path, "memory.max"), String(limitBytes));
    // Absent where the kernel does not count swap.
    await writeFile(join(path, "memory.swap.max"), "0", { flag: "r+" }).catch(() => {});
    await writeFile(join(path, "cgroup.procs"), String(pid));
  } catch (cause) {
    await rmdir(path).catch(() => {});
    throw cause;
  }
  return {
    kills: async () => Number(/^oom_kill (\d+)$/m.exec(await textOf(join(path, "memory.events")))?.[1] ?? 0),
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
