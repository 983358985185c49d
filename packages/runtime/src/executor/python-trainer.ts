import { delimiter, dirname, join } from "node:path";
import type { StatisticsGenerator } from "@flare-ts/contracts/job";
import { requireFromRuntime } from "../installed.js";

export interface PythonTrainerInit {
  /** Absolute path. */
  readonly script: string;
  readonly args: readonly string[];
  /** Where the operator's choice of an interpreter is looked for. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Further folders of modules, as the job's `env` has them. */
  readonly pythonPath: string | undefined;
}

/** Variable by which a site's operator names the interpreter, such as that of a virtual environment. */
const pythonVariable = "FLARE_PYTHON";

/** The interpreter that the site's operator has chosen. */
export function pythonCommand(environment: PythonTrainerInit["environment"]): string {
  return environment[pythonVariable] || "python3";
}

/**
 * How a script in Python is started: by `flare-client run`, which answers the imports of scripts that were written for NVIDIA
 * FLARE too. The Client API for Python comes with this package, so that a site needs Python and NumPy and nothing of ours.
 */
export function pythonTrainer({ script, args, environment, pythonPath }: PythonTrainerInit) {
  return {
    file: pythonCommand(environment),
    args: ["-m", "flare_client", "run", script, ...args],
    env: pythonEnvironment(pythonPath),
  };
}

/** How a class in Python that computes statistics is started: by `flare-client statistics`. */
export function statisticsProgram({
  path,
  args,
  environment,
  pythonPath,
}: StatisticsGenerator & Pick<PythonTrainerInit, "environment" | "pythonPath">) {
  return {
    file: pythonCommand(environment),
    args: ["-m", "flare_client", "statistics", path, JSON.stringify(args)],
    env: pythonEnvironment(pythonPath),
  };
}

/**
 * By which any Python finds the client that comes with this package: a `command` such as `python3 -m flare_client launch torchrun …`
 * needs it too.
 *
 * @param others - further folders of modules, as the job's `env` has them
 */
export function pythonEnvironment(others: string | undefined): { readonly PYTHONPATH: string; readonly PYTHONUNBUFFERED: string } {
  const client = join(dirname(requireFromRuntime.resolve("@flare-ts/python-client/package.json")), "src");
  return {
    PYTHONPATH: others === undefined ? client : `${client}${delimiter}${others}`,
    // What a trainer said last must stand in its log when it dies.
    PYTHONUNBUFFERED: "1",
  };
}
