import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** A Python that can do the baselines. */
export interface FoundPython {
  readonly command: string;
  readonly hasTorch: boolean;
}

/** Where Python is looked for, unless one is named. */
export const pythonCandidates: readonly string[] = ["python3", "/usr/bin/python3"];

/** The first command whose Python has NumPy and PyTorch, or else the first with NumPy; `undefined` where there is none. */
export async function findPython(candidates: readonly string[]): Promise<FoundPython | undefined> {
  const found: FoundPython[] = [];
  for (const command of candidates) {
    try {
      const { stdout } = await promisify(execFile)(command, [
        "-c",
        "import importlib.util as u, numpy; print(u.find_spec('torch') is not None)",
      ]);
      found.push({ command, hasTorch: stdout.trim() === "True" });
    } catch {
      // Not there, or without NumPy.
    }
  }
  return found.find(({ hasTorch }) => hasTorch) ?? found[0];
}
