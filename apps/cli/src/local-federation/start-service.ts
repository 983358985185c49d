import type { StartDaemonInit } from "@flare-ts/runtime";
import { flareCommandPath } from "../command-line/flare-command-path.js";
import type { LocalService } from "./local-service.js";

/** A service that was told to start. */
export interface ServiceStart {
  /** Resolves when its process holds its kit, or never will. */
  readonly running: Promise<unknown>;
  /** Resolves when it is ready. */
  readonly ready: Promise<{ readonly name: string; readonly pid: number; readonly isNew: boolean; readonly state: "starting" | "ready" }>;
}

/** Starts a service in the background; one that runs stays as it is. */
export function startService(
  { name, kit }: LocalService,
  init: Pick<StartDaemonInit, "args" | "environment" | "until" | "timeoutMs" | "onSpawned" | "signal">,
): ServiceStart {
  const { promise: taken, resolve: onRunning } = Promise.withResolvers<void>();
  const start = async () => {
    const { startDaemon, daemonStatus } = await import("@flare-ts/runtime");
    const status = daemonStatus(kit);
    if (status.state !== "stopped") return { name, pid: status.pid, isNew: false, state: status.state };
    const command = { node: process.execPath, cli: flareCommandPath() };
    const { pid, state } = await startDaemon({ ...init, kitDir: kit, command, onRunning });
    return { name, pid, isNew: true, state };
  };
  const ready = start();
  return { running: Promise.race([taken, ready.catch(() => undefined)]), ready };
}
