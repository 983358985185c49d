import type { CommandContext } from "../../command-line/command-context.js";

/**
 * Does the work of a command that must not end without having cleaned up: it is told to stop also by a terminal that goes away, and goes
 * on when nobody reads its output.
 */
export async function untilHangup<Result>(context: CommandContext, work: (context: CommandContext) => Promise<Result>): Promise<Result> {
  context.outliveReader();
  const hangup = new AbortController();
  const onHangup = (): void => hangup.abort();
  process.on("SIGHUP", onHangup);
  try {
    return await work({ ...context, signal: AbortSignal.any([context.signal, hangup.signal]) });
  } finally {
    process.off("SIGHUP", onHangup);
  }
}
