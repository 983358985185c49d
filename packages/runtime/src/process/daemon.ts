import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readlinkSync, realpathSync, rmSync, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FlareError } from "@flare-ts/contracts";
import type { Watch } from "../operate/ending.js";
import { type InstanceState, readInstance } from "./instance-lock.js";
import { largePiecesApart, oneArena } from "./malloc-settings.js";
import { identifyProcess, isAlive, type ProcessIdentity } from "./process-identity.js";
import { readShutdown, type ShutdownNote } from "./shutdown-note.js";
import { daemonNodeOptions } from "./young-space.js";

export interface StartDaemonInit {
  readonly kitDir: string;
  /** How to call the `flare` command: the Node binary and the script. */
  readonly command: { readonly node: string; readonly cli: string };
  /** Further arguments of its `start` command. */
  readonly args?: readonly string[];
  /** Environment variables of the process, beside those of this one. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What is waited for: that the process holds its kit, or that it is ready. @default "ready" */
  readonly until?: "running" | "ready";
  /** Wait for that so long at most. @default 30_000 */
  readonly timeoutMs?: number;
  /** Called with the number of the process group in which everything of the kit runs, as soon as there is one. */
  readonly onSpawned?: (group: number) => void;
  /** Called when the process is seen to hold its kit, ready or not; more than once maybe. */
  readonly onRunning?: () => void;
  readonly signal?: AbortSignal;
}

/** What is known of a kit's daemon. */
export type DaemonStatus =
  | { readonly state: "stopped" /** The admin who had it shut down. */; readonly shutDown?: ShutdownNote }
  | ({ readonly state: "starting" | "ready"; readonly watchdogPid?: number } & Pick<InstanceState, "pid" | "sinceMs" | "port" | "server">);

const pollMs = 20;

/** bash forgets a signal that comes at the moment at which it begins to wait for its child; a watchdog of this age may be there. */
const youngMs = 2_000;
/** When a young watchdog is told once more to stop. */
const againMs = 1_000;

/**
 * Starts a kit's server, site or relay in the background under the watchdog of the kit (`startup/sub_start.sh`), which starts
 * it again when it dies, and waits until it is ready, or only until it runs. One that is alive but not ready in time, such as a site whose server is
 * down, is left to go on by itself; the state says so. Output goes to `log.txt` in the kit.
 *
 * @throws FlareError `runtime/already-running`, or `runtime/start-failed` with the last lines that this start printed.
 */
export async function startDaemon(init: StartDaemonInit): Promise<{ readonly pid: number; readonly state: InstanceState["state"] }> {
  const {
    kitDir,
    command,
    args = [],
    environment = {},
    until = "ready",
    timeoutMs = 30_000,
    onSpawned,
    onRunning = () => {},
    signal,
  } = init;
  const running = readInstance(kitDir);
  if (running !== undefined) {
    throw new FlareError("runtime/already-running", `This kit is in use by process ${running.pid}.`, {
      facts: { folder: kitDir, pid: running.pid },
    });
  }
  const kind = isOneOfMany(kitDir) ? "oneOfMany" : "server";
  const logPath = join(kitDir, "log.txt");
  const log = openSync(logPath, "a", 0o600);
  const logBegin = fstatSync(log).size;
  const watchdog = spawn("sh", [join(kitDir, "startup", "sub_start.sh"), ...args], {
    cwd: kitDir,
    detached: true,
    stdio: ["ignore", log, log],
    env: {
      ...largePiecesApart,
      ...(kind === "oneOfMany" ? oneArena : {}),
      ...process.env,
      ...environment,
      NODE_OPTIONS: daemonNodeOptions(kind, process.env["NODE_OPTIONS"], environment["NODE_OPTIONS"]),
      // Watch scripts of older kits do not say it.
      FLARE_WATCHED: "on-failure" satisfies Watch,
      FLARE_NODE: command.node,
      FLARE_CLI: command.cli,
    },
  });
  closeSync(log);
  if (watchdog.pid !== undefined) onSpawned?.(watchdog.pid);
  const exited = once(watchdog, "exit");
  const isOver = (): boolean => watchdog.exitCode !== null || watchdog.signalCode !== null;
  const deadline = performance.now() + timeoutMs;
  let instance = readInstance(kitDir);
  const isReached = (): boolean => instance !== undefined && (until === "running" || instance.state === "ready");
  while (!isReached() && !isOver() && performance.now() < deadline) {
    await Promise.race([sleep(pollMs), exited]);
    if (signal?.aborted === true) {
      await stopStart(kitDir, watchdog, exited);
      throw FlareError.from(signal.reason);
    }
    instance = readInstance(kitDir);
    if (instance !== undefined) onRunning();
  }
  if (instance !== undefined && !isOver()) {
    watchdog.unref();
    return { pid: instance.pid, state: instance.state };
  }
  const hasEnded = isOver();
  if (!hasEnded) await stopStart(kitDir, watchdog, exited);
  const message = hasEnded ? "The process ended before it was ready." : `The process did not start within ${timeoutMs / 1000} s.`;
  const printed = lastLines(logPath, logBegin, 10);
  throw new FlareError("runtime/start-failed", `${message} Its log, ${logPath}, ${printed.length === 0 ? "says nothing." : "ends with:"}`, {
    problems: printed.map((line) => ({ message: line })),
    facts: { folder: kitDir, log: logPath, lastLines: printed },
  });
}

/** Stops what was just started; the watchdog may not have said yet that it is there. */
async function stopStart(kitDir: string, watchdog: ChildProcess, exited: Promise<unknown>): Promise<void> {
  watchdog.kill("SIGTERM");
  await Promise.race([exited, sleep(stopStartMs, undefined, { ref: false })]);
  await stopDaemon(kitDir, { timeoutMs: stopStartMs });
}

/** How long what was just started may take to stop before it is killed. */
const stopStartMs = 5_000;

/** A machine may have many sites and relays; a server has threads that need memory at the same time. */
function isOneOfMany(kitDir: string): boolean {
  return ["fed_client.json", "fed_relay.json"].some((name) => existsSync(join(kitDir, "startup", name)));
}

/**
 * Stops a kit's watchdog and process: a polite signal first, a kill after `timeoutMs`.
 *
 * @throws FlareError `runtime/not-permitted` for those of another account, `file/unreadable` where that cannot be seen.
 */
export async function stopDaemon(kitDir: string, options: { readonly timeoutMs: number }): Promise<"stopped" | "not-running"> {
  const watchdogPid = readWatchdog(kitDir);
  const instance = readInstance(kitDir);
  const watchdog = watchdogPid === undefined ? undefined : identifyProcess(watchdogPid);
  let targets = [watchdog, instance].filter((one) => one !== undefined);
  if (targets.length === 0) return "not-running";
  let isToldAgain = watchdog === undefined || !isYoung(kitDir);
  signalAll(watchdog === undefined ? targets : [watchdog], "SIGTERM");
  const sentMs = performance.now();
  const deadline = sentMs + options.timeoutMs;
  // A number may soon be that of a process which is none of ours.
  for (targets = targets.filter(isAlive); targets.length > 0; targets = targets.filter(isAlive)) {
    if (performance.now() > deadline) signalAll(targets, "SIGKILL");
    else if (!isToldAgain && performance.now() > sentMs + againMs) {
      signalAll(
        targets.filter((one) => one === watchdog),
        "SIGTERM",
      );
      isToldAgain = true;
    }
    await sleep(pollMs);
  }
  rmSync(join(kitDir, "daemon_pid.fl"), { force: true });
  rmSync(join(kitDir, "pid.fl"), { force: true });
  return "stopped";
}

/** Whether a kit's server, site or relay runs. */
export function daemonStatus(kitDir: string): DaemonStatus {
  const instance = readInstance(kitDir);
  if (instance === undefined) {
    const shutDown = readShutdown(kitDir);
    return { state: "stopped", ...(shutDown === undefined ? {} : { shutDown }) };
  }
  const { pid, state, sinceMs, port, server } = instance;
  const watchdogPid = readWatchdog(kitDir);
  return {
    state,
    pid,
    sinceMs,
    ...(port === undefined ? {} : { port }),
    ...(server === undefined ? {} : { server }),
    ...(watchdogPid === undefined ? {} : { watchdogPid }),
  };
}

/** The watchdog's process number, when it is alive and really is this kit's watchdog. */
function readWatchdog(kitDir: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(join(kitDir, "daemon_pid.fl"), "utf8"), 10);
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    const script = words.find((word) => word.endsWith("sub_start.sh"));
    if (script === undefined) return undefined;
    // After a restart of the machine the number may be that of another kit's watchdog.
    // Where a process of another account works is not told; that it was given a whole path is.
    const path = isAbsolute(script) ? script : resolve(readlinkSync(`/proc/${pid}/cwd`), script);
    return realpathSync(path) === realpathSync(join(kitDir, "startup", "sub_start.sh")) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a kit's watchdog has just been started. To one that is not, a second signal would mean to end at once. */
function isYoung(kitDir: string): boolean {
  const info = statSync(join(kitDir, "daemon_pid.fl"), { throwIfNoEntry: false });
  // One that has ended by itself by now has taken its file along.
  return info !== undefined && Date.now() - info.mtimeMs < youngMs;
}

function signalAll(processes: readonly ProcessIdentity[], signal: NodeJS.Signals): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, signal);
    } catch (cause) {
      // ESRCH: it ended in the meantime, which is what was wanted.
      if ((cause as NodeJS.ErrnoException).code !== "EPERM") continue;
      throw new FlareError("runtime/not-permitted", `Process ${pid} belongs to another account, and this one may not stop it.`, {
        cause,
        facts: { pid },
      });
    }
  }
}

/** The last lines of a file behind a place in it: what earlier starts wrote there is no news. */
function lastLines(path: string, begin: number, count: number): string[] {
  try {
    return readFileSync(path)
      .subarray(begin)
      .toString()
      .split("\n")
      .filter((line) => line !== "")
      .slice(-count);
  } catch {
    return [];
  }
}
