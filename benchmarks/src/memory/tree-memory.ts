import { readdir, readFile } from "node:fs/promises";

/**
 * Memory of a process and all that it started, in bytes: the sum of their proportional set sizes, in which a page that several
 * processes share counts in parts. `undefined` when the process is gone, or where there is no /proc.
 */
export async function treeMemory(root: number): Promise<number | undefined> {
  const sizes = await Promise.all((await processTree(root)).map(proportionalBytes));
  const known = sizes.filter((size) => size !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, size) => sum + size, 0);
}

/** A process and its descendants. */
export async function processTree(root: number): Promise<readonly number[]> {
  const entries = await processParents();
  const tree = [root];
  // Grows while it is gone through.
  for (const pid of tree) for (const entry of entries) if (entry.parent === pid) tree.push(entry.pid);
  return tree;
}

/** A process and the one that started it. */
export interface ProcessParent {
  readonly pid: number;
  readonly parent: number;
}

/** All processes of this machine, with their parents. */
export async function processParents(): Promise<readonly ProcessParent[]> {
  const entries: ProcessParent[] = [];
  for (const name of await readdir("/proc").catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    // The name before it may hold anything, parentheses and spaces too.
    const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (parent !== undefined) entries.push({ pid: Number(name), parent: Number(parent) });
  }
  return entries;
}

/** Memory of a process in bytes, in which a page that several processes share counts in parts; `undefined` when it is gone. */
export async function proportionalBytes(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
  const [, kibibytes] = /^Pss:\s+(\d+) kB$/m.exec(text) ?? [];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
