import { resolve } from "node:path";
import type { Json } from "@flare-ts/contracts";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { flareCommandPath } from "../../command-line/flare-command-path.js";
import { type LogEvent, logLine } from "./log-line.js";
import { type ServiceKind, serviceWord } from "./service-kind.js";

/** What `server start` and `client start` are given. */
export interface StartServiceOptions {
  readonly kind: ServiceKind;
  readonly kit: string;
  readonly isDaemon: boolean;
  readonly workspace: string | undefined;
  readonly port: number | undefined;
}

/** Runs a server or a site until it is told to stop, or starts it in the background. */
export async function startService(context: CommandContext, options: StartServiceOptions): Promise<CommandOutput> {
  const { kind } = options;
  const kitDir = resolve(context.cwd, options.kit);
  const runtime = await import("@flare-ts/runtime");
  if (options.isDaemon) {
    const { pid } = await runtime.startDaemon({ kitDir, kind, command: { node: process.execPath, cli: flareCommandPath() } });
    return {
      data: { kind, kit: kitDir, state: "running", pid },
      text: [`The ${serviceWord(kind)} runs in the background, process ${pid}.`],
    };
  }
  const init = {
    kitDir,
    signal: context.signal,
    onEvent: (event: LogEvent) => printEvent(context, event),
    ...(options.workspace === undefined ? {} : { workspace: resolve(context.cwd, options.workspace) }),
  };
  const running =
    kind === "server"
      ? await runtime.startServer({ ...init, ...(options.port === undefined ? {} : { port: options.port }) })
      : await runtime.startSite(init);
  const stop = (): void => void running.stop();
  context.signal.addEventListener("abort", stop, { once: true });
  if (context.signal.aborted) stop();
  const port: { readonly [key: string]: Json } = "port" in running ? { port: running.port } : {};
  context.report(
    { type: "started", kind, pid: process.pid, ...port },
    "port" in running ? `The server listens on port ${running.port}, process ${process.pid}.` : `The site runs, process ${process.pid}.`,
  );
  await running.closed;
  return { data: { kind, kit: kitDir, state: "stopped", ...port }, text: [`The ${serviceWord(kind)} has stopped.`] };
}

function printEvent(context: CommandContext, event: LogEvent): void {
  if (event.level === "debug" && !context.isVerbose) return;
  if (context.format === "txt") context.terminal.out(logLine(event, new Date(), context.terminal.colors));
  else if (context.format === "jsonl")
    context.report({ type: "log", level: event.level, message: event.message, fields: (event.fields ?? {}) as Json }, "");
  else context.terminal.err(logLine(event, new Date(), context.terminal.colors));
}
