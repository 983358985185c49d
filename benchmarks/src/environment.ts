import { execFileSync } from "node:child_process";
import { arch, cpus, platform, release, totalmem } from "node:os";
import { softwareVersion } from "@flare-ts/runtime";

/** What a figure depends on besides the code: kept with every result. */
export interface Environment {
  readonly date: string;
  readonly commit: string;
  /** Whether files differ from the commit. */
  readonly isModified: boolean;
  readonly software: string;
  readonly node: string;
  readonly os: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
}

/** Where and on what a benchmark runs. */
export function readEnvironment(): Environment {
  return {
    date: new Date().toISOString(),
    commit: git("rev-parse", "HEAD"),
    isModified: git("status", "--porcelain", "--untracked-files=no") !== "",
    software: softwareVersion,
    node: process.version,
    os: `${platform()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  };
}

function git(...args: readonly string[]): string {
  try {
    return execFileSync("git", args, { cwd: import.meta.dirname, encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}
