import { join, resolve } from "node:path";
import type { Json } from "@flare-ts/contracts";
import type { Ending } from "@flare-ts/runtime";
import { allowsClear } from "../../command-line/allows-clear.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { flareCommandPath } from "../../command-line/flare-command-path.js";
import { type LogEvent, logLine } from "./log-line.js";
import { requireKitOf, type ServiceKind, serviceWord } from "./service-kind.js";

/** What `server start`, `client start` and `relay start` are given. */
export interface StartServiceOptions {
  readonly kind: ServiceKind;
  readonly kit: string;
  readonly isDaemon: boolean;
  readonly workspace: string | undefined;
  readonly port: number | undefined;
  /** Address of a server or a relay. */
  readonly host: string | undefined;
  readonly isClearAllowed: boolean;
  /** Bytes that all its processes may hold, at a site without trainers. */
  readonly maxMemoryBytes?: number | undefined;
  /** Bytes that its folder may hold. */
  readonly maxDiskBytes?: number | undefined;
  /** What makes no progress for so long is given up. */
  readonly stallSeconds: number | undefined;
}

interface RunningService {
  readonly name: string;
  readonly port?: number;
  readonly asked: Promise<Ending>;
  stop(): Promise<void>;
}

/** How long the command waits for a background process to be ready; it goes on by itself after that. */
const daemonReadyMs = 10_000;

const aliveMs = 3_600_000;

/** Runs a server, a site or a relay until it is told to stop, or starts it in the background. */
export async function startService(context: CommandContext, options: StartServiceOptions): Promise<CommandOutput> {
  const { kind, host, stallSeconds, maxMemoryBytes, maxDiskBytes } = options;
  const isClearAllowed = options.isClearAllowed || allowsClear(context);
  const kitDir = resolve(context.cwd, options.kit);
  const runtime = await import("@flare-ts/runtime");
  if (options.isDaemon) {
    requireKitOf(kind, kitDir);
    const command = { node: process.execPath, cli: flareCommandPath() };
    const { pid, state } = await runtime.startDaemon({
      kitDir,
      command,
      args: daemonArguments({ ...options, isClearAllowed }),
      timeoutMs: daemonReadyMs,
      signal: context.signal,
    });
    const how = state === "ready" ? `runs in the background, process ${pid}.` : `is starting in the background, process ${pid}.`;
    const status = runtime.daemonStatus(kitDir);
    const contact = status.state === "stopped" ? undefined : status.server;
    const hint =
      contact?.state === "refused"
        ? `Its server does not let it in: ${contact.reason ?? "no reason was given"} It goes on trying`
        : kind === "server"
          ? "It is not ready yet"
          : "It has not reached the server yet and goes on trying";
    return {
      data: { kind, kit: kitDir, state, pid },
      text: [`The ${serviceWord(kind)} ${how}`, ...(state === "ready" ? [] : [`${hint}; its log is ${join(kitDir, "log.txt")}.`])],
    };
  }
  // A server must not end because whoever read its log did.
  context.outliveReader();
  const onLog = (event: LogEvent): void => printEvent(context, event);
  const workspace = options.workspace === undefined ? undefined : resolve(context.cwd, options.workspace);
  const stallMs = stallSeconds === undefined ? undefined : Math.round(stallSeconds * 1000);
  const watch = runtime.watchOf(context.env);
  const init = { kitDir, workspace, isClearAllowed, stallMs, onLog, maxMemoryBytes, maxDiskBytes, watch, signal: context.signal };
  const listening = { port: options.port, host };
  const start: Readonly<Record<ServiceKind, () => Promise<RunningService>>> = {
    server: () => runtime.startServer({ ...init, ...listening }),
    client: () => runtime.startSite({ ...init, onJobBegun: () => setImmediate(runtime.giveBackHeap) }),
    relay: () => runtime.startRelay({ kitDir, workspace, isClearAllowed, onLog, signal: context.signal, ...listening }),
  };
  runtime.useSmallPools();
  const running = await start[kind]();
  const place: { readonly [key: string]: Json } = running.port === undefined ? {} : { port: running.port };
  context.report(
    { type: "started", kind, name: running.name, pid: process.pid, ...place },
    kind !== "client"
      ? `${kind === "server" ? "Server" : "Relay"} ${running.name} listens on port ${running.port}, process ${process.pid}.`
      : `Site ${running.name} is connected, process ${process.pid}.`,
  );
  if (kind !== "server") runtime.preferSmallHeap();
  runtime.giveBackHeap();
  const ending = await Promise.race([aborted(context.signal), running.asked]);
  await running.stop();
  const word = serviceWord(kind);
  const data = { kind, kit: kitDir, name: running.name, state: "stopped", ...place };
  if (ending === undefined) return { data, text: [`The ${word} has stopped.`] };
  const text = `The ${word} ${ending.how === "restart" ? "restarts" : "was shut down"}, as ${ending.by} says.`;
  if (ending.how === "restart") return { data, text: [text], exitStatus: runtime.restartStatus };
  // What is over would be started again; an admin's word is kept until somebody stops it here.
  if (watch === "always") {
    context.report({ type: "shut-down", by: ending.by }, `${text} It waits, doing nothing, to be stopped or started again by hand.`);
    // A listener for signals alone keeps no process alive.
    const alive = setInterval(() => undefined, aliveMs);
    await aborted(context.signal);
    clearInterval(alive);
  }
  return { data, text: [text] };
}

function daemonArguments(options: StartServiceOptions): string[] {
  const { host, port, isClearAllowed, stallSeconds, maxMemoryBytes, maxDiskBytes } = options;
  const given = {
    "--host": host,
    "--port": port,
    "--stall-timeout": stallSeconds,
    "--max-memory": maxMemoryBytes,
    "--max-disk": maxDiskBytes,
  };
  const words = Object.entries(given).flatMap(([option, value]) => (value === undefined ? [] : [option, String(value)]));
  return [...words, ...(isClearAllowed ? ["--allow-clear"] : [])];
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolveAborted) => {
    if (signal.aborted) resolveAborted(undefined);
    signal.addEventListener("abort", () => resolveAborted(undefined), { once: true });
  });
}

function printEvent(context: CommandContext, event: LogEvent): void {
  if (event.level === "debug" && !context.isVerbose) return;
  if (context.format === "txt") context.terminal.out(logLine(event, new Date(), context.terminal.colors));
  else if (context.format === "jsonl")
    context.report({ type: "log", level: event.level, message: event.message, fields: (event.fields ?? {}) as Json }, "");
  else context.terminal.err(logLine(event, new Date(), context.terminal.colors));
}
