import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { programPath } from "../installed.js";
import { runProgram } from "./run-program.js";

export interface StripTypesInit {
  /** Folder whose scripts in TypeScript are read. */
  readonly from: string;
  /** Folder to write to; it is made when it does not exist. */
  readonly to: string;
}

/**
 * Takes the types out of scripts before a trainer loads them, each into a file named by a checksum of its text. Node's own loader does that
 * by a compiler which stays in the trainer for as long as it runs: 12 MB at each site. What cannot be done here is left to it.
 */
export async function stripTypes({ from, to }: StripTypesInit): Promise<void> {
  await mkdir(to, { recursive: true });
  const program = programPath("executor/strip-types-main");
  const flags = [
    "--permission",
    ...[dirname(dirname(program)), from, to].map((path) => `--allow-fs-read=${path}`),
    `--allow-fs-write=${to}`,
    "--disable-warning=ExperimentalWarning",
    "--disable-warning=SecurityWarning",
  ];
  // A script that has no types taken out still runs.
  await runProgram([...flags, program, from, to]).catch(() => undefined);
}
