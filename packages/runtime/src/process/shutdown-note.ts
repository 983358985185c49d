import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Who has had a process shut down, and when. */
export interface ShutdownNote {
  readonly by: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

/** FLARE's name for the file by which a watch script learns of it; here it is for people alone. */
const fileName = "shutdown.fl";

/** Leaves word in a workspace of who has had its process shut down; where that cannot be written, nothing is the worse for it. */
export function noteShutdown(folder: string, note: ShutdownNote): void {
  try {
    // Who may look into the folder may see why its process does not run.
    writeFileSync(join(folder, fileName), JSON.stringify(note), { mode: 0o644 });
  } catch {
    // The log says it too.
  }
}

/** A process runs here again. */
export function forgetShutdown(folder: string): void {
  try {
    rmSync(join(folder, fileName), { force: true });
  } catch {
    // It is not looked at while a process runs.
  }
}

/** Who has had the process of a workspace shut down, where nothing was started there since. */
export function readShutdown(folder: string): ShutdownNote | undefined {
  try {
    const { by, atMs } = JSON.parse(readFileSync(join(folder, fileName), "utf8")) as Partial<Record<keyof ShutdownNote, unknown>>;
    return typeof by === "string" && typeof atMs === "number" ? { by, atMs } : undefined;
  } catch {
    return undefined;
  }
}
