import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import type { BaselineName } from "./forms.ts";

/** What a Python says that it runs with. */
export interface PythonVersions {
  readonly python: string;
  readonly numpy: string;
  readonly torch: string | null;
  /** What multiplies matrices; the core is the processor that OpenBLAS chose its kernels for. */
  readonly blas: { readonly library: string; readonly core: string | null; readonly threads: number | null };
}

/** One run of a form. */
export interface FormRun {
  readonly form: BaselineName;
  readonly threads: number;
  /** Values cut off at each end, for a trimmed mean. */
  readonly cut: number;
  /** Where the result goes, for a form that writes one. */
  readonly outPath: string;
  /** Whether to measure memory too, which takes a little time. */
  readonly memory?: boolean;
  /** Elements to give back, by their place among all floating ones. */
  readonly at?: readonly number[];
}

export interface FormResult {
  readonly ms: number;
  /** Memory above what the updates take; `null` where the system does not tell. */
  readonly addedBytes?: number | null;
  readonly values?: readonly number[];
}

/** A Python that stays alive, so that its runs can stand between those of others. */
export interface PythonProcess {
  readonly versions: PythonVersions;
  /** Reads updates into its memory, in place of those before. */
  load(files: readonly string[], weights: readonly number[]): Promise<void>;
  /** Lets go of the updates. */
  unload(): Promise<void>;
  run(run: FormRun): Promise<FormResult>;
  close(): Promise<void>;
}

/** Settings that someone made for another machine or program, and that would make the baseline slower than it is. */
const droppedVariables = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"];

/** Starts Python; it ends with `close`, and with this process in any case. */
export async function startPython(command: string): Promise<PythonProcess> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !droppedVariables.includes(name)));
  const child = spawn(command, ["-u", join(import.meta.dirname, "python-forms.py")], { stdio: ["pipe", "pipe", "pipe"], env });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = `${stderr}${text}`.slice(-2000);
  });
  const closed = once(child, "close");
  // What ends it is told by whoever asks it something.
  closed.catch(() => {});
  child.stdin.on("error", () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (message: object): Promise<object> => {
    child.stdin.write(`${JSON.stringify(message)}\n`);
    const { value, done } = await lines.next();
    if (done === true) {
      await closed;
      throw new Error(`${command} ended: ${stderr}`);
    }
    const answer = JSON.parse(value) as { readonly error?: string };
    if (answer.error !== undefined) throw new Error(`${command}: ${answer.error}`);
    return answer;
  };
  return {
    versions: (await ask({ do: "versions" })) as PythonVersions,
    load: async (files, weights) => {
      await ask({ do: "load", files, weights });
    },
    unload: async () => {
      await ask({ do: "unload" });
    },
    run: async (run) => (await ask({ do: "run", ...run })) as FormResult,
    close: async () => {
      child.stdin.end();
      await closed;
    },
  };
}
