import { isAbsolute, relative, sep } from "node:path";

/** Whether an absolute path leads to something inside of a folder. */
export function isBelow(dir: string, path: string): boolean {
  const way = relative(dir, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
