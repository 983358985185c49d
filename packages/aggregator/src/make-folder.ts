import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { unwritable } from "./unwritable.js";

/**
 * Makes a folder with those above it that are missing. Node's own `recursive` never ends where a folder is there in which none can be
 * made and the system says ENOENT, as in /proc.
 *
 * @throws FlareError `file/unwritable`
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await makeWithThoseAbove(path);
  } catch (cause) {
    throw unwritable(`The folder ${path} cannot be made`, path, cause);
  }
}

async function makeWithThoseAbove(path: string): Promise<void> {
  try {
    await makeOne(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT" || dirname(path) === path) throw cause;
    await makeWithThoseAbove(dirname(path));
    await makeOne(path);
  }
}

async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST" || !(await stat(path)).isDirectory()) throw cause;
  }
}
