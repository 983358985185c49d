import { statfs } from "node:fs/promises";
import type { Environment } from "../transport/proxy/proxy-from-environment.js";

/** What the checks take from this machine, so that a test can give another one. */
export interface PreflightParts {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds of a clock that nobody sets. */
  readonly steadyNow: () => number;
  /** Bytes that this process may still write below a folder. */
  readonly readFreeSpace: (folder: string) => Promise<number>;
  readonly environment: Environment;
}

/** This machine. */
export const machineParts: PreflightParts = {
  now: Date.now,
  steadyNow: () => performance.now(),
  readFreeSpace: async (folder) => {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  },
  environment: process.env,
};
