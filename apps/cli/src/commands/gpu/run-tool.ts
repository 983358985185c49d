import { spawn } from "node:child_process";
import { FlareError } from "@flare-ts/contracts";

export interface RunToolInit {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Whether a person sees its output as it comes; else it is kept, for the case that the tool fails. */
  readonly isShown: boolean;
}

/** How a tool ended. */
export interface ToolResult {
  /** Status 0. */
  readonly isDone: boolean;
  /** The last errors that it wrote, or else its last lines; none where they were shown. */
  readonly lastLines: readonly string[];
}

const keptChars = 16_384;
const keptLines = 8;

/**
 * Runs a program to its end, without a shell. An abort ends it together with all processes that it started.
 *
 * @throws `gpu/tools-missing` where there is no such program, `internal/aborted`
 */
export async function runTool({ command, args, cwd, env, signal, isShown }: RunToolInit): Promise<ToolResult> {
  signal.throwIfAborted();
  // In a group of its own, so that what it started can be ended with it. All it writes goes beside the result.
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", isShown ? 2 : "pipe", isShown ? 2 : "pipe"] });
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has just ended by itself.
    }
  };
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (part: string) => {
      text = (text + part).slice(-keptChars);
    });
  }
  signal.addEventListener("abort", end, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", resolve);
    });
    signal.throwIfAborted();
    return { isDone: code === 0, lastLines: tellingLines(text) };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    throw new FlareError("gpu/tools-missing", `There is no ${command} on the PATH.`, { facts: { missing: [command] }, cause });
  } finally {
    signal.removeEventListener("abort", end);
  }
}

/** Tools follow the error that counts with their versions, their command lines and stacks. */
function tellingLines(text: string): readonly string[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const errors = lines.filter((line) => /error\b/i.test(line));
  return (errors.length > 0 ? errors : lines).slice(-keptLines);
}
