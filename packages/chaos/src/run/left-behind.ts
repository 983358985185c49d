import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { processesIn } from "../federation/process-tree.js";

/** What a federation that has stopped should not have left. */
export interface LeftBehind {
  /** Number and command line of each process. */
  readonly processes: readonly string[];
  /** Local address of each open socket of the federation's ports, and each UNIX socket in its folder. */
  readonly sockets: readonly string[];
}

/** Looks for processes and sockets of a federation in `folder` and on `ports`. */
export function findLeftBehind(folder: string, ports: readonly number[]): LeftBehind {
  return {
    processes: processesIn(folder).map(({ pid, commandLine }) => `${pid} ${commandLine.slice(0, 120)}`),
    sockets: [...tcpSockets(ports), ...unixSockets(folder)],
  };
}

/**
 * Files of a folder by the shape of their path, with how many there are of each shape: numbers that differ from run to run, such as
 * the ids of jobs and the hashes of models, are not part of a shape. Logs are left out.
 */
export function fileShapes(folder: string): ReadonlyMap<string, number> {
  const shapes = new Map<string, number>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const shape = relative(folder, join(entry.parentPath, entry.name))
      .replace(/[0-9a-f]{64}/g, "<hash>")
      .replace(/\b[0-9a-f]{2}\/<hash>/g, "<hash>")
      .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<id>");
    if (!/(^|\/)((audit|trainer)\.)?log(\.\w+)?$|audit\.log/.test(shape)) shapes.set(shape, (shapes.get(shape) ?? 0) + 1);
  }
  return shapes;
}

/** Shapes of which there are more than there should be. */
export function surplusFiles(actual: ReadonlyMap<string, number>, expected: ReadonlyMap<string, number>): readonly string[] {
  return [...actual].flatMap(([shape, count]) => {
    const wanted = expected.get(shape) ?? 0;
    return count > wanted ? [`${shape}: ${count} instead of ${wanted}`] : [];
  });
}

/** State numbers of `/proc/net/tcp`: a connection that was closed lingers in TIME_WAIT, where no process has it. */
const timeWait = "06";

function tcpSockets(ports: readonly number[]): string[] {
  return ["tcp", "tcp6"].flatMap((file) =>
    linesOf(`/proc/net/${file}`).flatMap((line) => {
      const [, local = "", , state] = line.trim().split(/\s+/);
      const port = Number.parseInt(local.split(":")[1] ?? "", 16);
      return ports.includes(port) && state !== timeWait ? [`${file} port ${port}, state ${state}`] : [];
    }),
  );
}

function unixSockets(folder: string): string[] {
  return linesOf("/proc/net/unix").flatMap((line) => {
    const path = line.trim().split(/\s+/)[7] ?? "";
    return path.startsWith(folder) ? [path] : [];
  });
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n").slice(1);
  } catch {
    return [];
  }
}
