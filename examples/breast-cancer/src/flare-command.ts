import { spawn } from "node:child_process";
import { once } from "node:events";
import { flareCommandPath } from "@flare-ts/cli";

/** Runs command lines of `flare`, each in a process of its own, on the Node that this process runs on. */
export interface FlareCommand {
  /** Runs a command and gives back `data` of its JSON envelope. */
  data(...args: readonly string[]): Promise<unknown>;
  /** Runs a command whose output goes to the terminal. */
  show(...args: readonly string[]): Promise<void>;
}

/** A command that failed; its output says why. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
}

/** Commands that end when `signal` aborts. */
export function flareCommand(signal?: AbortSignal): FlareCommand {
  return {
    data: async (...args) => {
      const { output } = await runNode([flareCommandPath(), ...args, "--format", "json"], { isShown: false, signal });
      return (JSON.parse(output) as { data: unknown }).data;
    },
    show: async (...args) => {
      await runNode([flareCommandPath(), ...args], { isShown: true, signal });
    },
  };
}

/**
 * Runs Node with arguments to the end.
 *
 * @throws CommandFailed when its status is not 0.
 */
async function runNode(
  args: readonly string[],
  { isShown, signal }: { readonly isShown: boolean; readonly signal: AbortSignal | undefined },
): Promise<{ readonly output: string }> {
  signal?.throwIfAborted();
  const stdio = isShown ? "inherit" : "pipe";
  // In a group of its own, so that Ctrl-C reaches this process only, which then tells the command once.
  const child = spawn(process.execPath, args, { stdio: ["ignore", stdio, stdio], detached: true });
  let output = "";
  let messages = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    messages += text;
  });
  const stop = (): void => void child.kill("SIGTERM");
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const [status] = (await once(child, "close")) as [number | null];
    signal?.throwIfAborted();
    if (status !== 0) throw new CommandFailed(`flare ${args.slice(1).join(" ")} ended with status ${status}.\n${messages}${output}`);
    return { output };
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}
