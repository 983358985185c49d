import { randomUUID } from "node:crypto";
import { hostname } from "node:os";

/** The process that holds something in a folder which others share. */
export interface ProcessHolder {
  readonly pid: number;
  readonly host: string;
  /** When the process started, in milliseconds since 1970: tells two processes with the same pid apart. */
  readonly started: number;
  readonly id: string;
}

/** This process, as the holder of one thing more. */
export function ownHolder(): ProcessHolder {
  return { pid: process.pid, host: hostname(), started: Math.round(performance.timeOrigin), id: randomUUID() };
}

/** Whether a process still runs; of one on another host, that is taken for granted. */
export function isAlive(holder: Omit<ProcessHolder, "id">): boolean {
  const self = ownHolder();
  if (holder.host !== self.host) return true;
  if (holder.pid === self.pid) return holder.started === self.started;
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
