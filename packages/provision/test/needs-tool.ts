import { spawnSync } from "node:child_process";

/**
 * Whether a test must be skipped because a program of a Debian package is missing; says so in a line. With
 * FLARE_NO_SKIPS=1 nothing is skipped, and the test fails where it calls the program.
 */
export function needsTool(program: string, debianPackage: string): boolean {
  const isThere = spawnSync("sh", ["-c", 'command -v "$1"', "sh", program], { stdio: "ignore" }).status === 0;
  if (isThere || process.env["FLARE_NO_SKIPS"] === "1") return false;
  process.stderr.write(`skipped: ${program} is missing; install the Debian package ${debianPackage}\n`);
  return true;
}
