import type { CommandContext } from "../../command-line/command-context.js";

/**
 * Does the work of a command that must not end without having cleaned up: it is told to stop also by a terminal that goes away, and if
 * `stopsWithInput` by the end of its standard input, and goes on when nobody reads its output.
 */
export async function untilHangup<Result>(
  context: CommandContext,
  { stopsWithInput }: { readonly stopsWithInput: boolean },
  work: (context: CommandContext) => Promise<Result>,
): Promise<Result> {
  context.outliveReader();
  const hangup = new AbortController();
  const onHangup = (): void => hangup.abort();
  process.on("SIGHUP", onHangup);
  // Its end is heard of only while it is read. One that cannot be read has ended.
  if (stopsWithInput) process.stdin.on("end", onHangup).on("error", onHangup).resume();
  try {
    return await work({ ...context, signal: AbortSignal.any([context.signal, hangup.signal]) });
  } finally {
    process.off("SIGHUP", onHangup);
    if (stopsWithInput) process.stdin.off("end", onHangup).pause();
  }
}
