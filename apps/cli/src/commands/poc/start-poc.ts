import { setTimeout as pause } from "node:timers/promises";
import { FlareError } from "@flare-ts/contracts";
import type { AdminSession } from "@flare-ts/runtime/admin";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { withFolderLock } from "../../local-federation/folder-lock.js";
import type { LocalService } from "../../local-federation/local-service.js";
import { startService } from "../../local-federation/start-service.js";
import { durationText } from "../../terminal/quantities.js";
import type { PocFederation } from "./poc-federation.js";
import { pocFolder } from "./poc-folder.js";
import { preparedFederation, type ServiceSelection, selectServices } from "./select-services.js";

/** How often the server is asked whether the sites are there. */
const askMs = 100;

/** What `flare poc start` is given. */
export interface StartPocOptions extends ServiceSelection {
  /** Whether to wait until the server is ready and the sites are connected, and not only until the processes run. */
  readonly isWaiting: boolean;
  readonly timeoutMs: number;
}

/** Starts services in the background; those that run stay as they are. */
export async function startPoc(context: CommandContext, options: StartPocOptions): Promise<CommandOutput> {
  const { timeoutMs } = options;
  const folder = pocFolder(context.env);
  const startMs = performance.now();
  const begin = () => startServices(folder, options, context.signal);
  const { federation, services, starts } = await withFolderLock(folder, begin, { context, timeoutMs });
  const started = await Promise.all(starts).catch(async (error: unknown) => {
    // A site fails where its server has, and the server's reason is the one to be mended.
    await starts[services.findIndex(({ kind }) => kind === "server")];
    throw error;
  });
  for (const { name, pid, isNew } of started) {
    context.report({ type: "started", name, pid, is_new: isNew }, `${name} ${isNew ? "started" : "already runs"}, process ${pid}`);
  }
  if (options.isWaiting) await waitForSites(context, federation, services, timeoutMs);
  const seconds = (performance.now() - startMs) / 1000;
  return {
    data: { services: started.map(({ name, pid }) => ({ name, pid })), seconds },
    text: [options.isWaiting ? `Ready after ${durationText(seconds * 1000)}.` : "Started."],
    hints: [
      options.isWaiting
        ? "Next: flare job submit -j my_job"
        : "flare poc status says which of them run, and why one does not; flare system status which sites are connected.",
    ],
  };
}

/** Starts services, and comes back when all are seen to run: who then would replace or remove them is told so. */
async function startServices(folder: string, options: StartPocOptions, signal: AbortSignal) {
  const federation = await preparedFederation(folder);
  const services = selectServices(federation, options);
  const until = options.isWaiting ? "ready" : "running";
  const starts = services.map((service) => startService(service, { until, timeoutMs: options.timeoutMs, signal }));
  await Promise.allSettled(starts.map(({ running }) => running));
  return { federation, services, starts: starts.map(({ ready }) => ready) };
}

async function waitForSites(
  context: CommandContext,
  federation: PocFederation,
  services: readonly LocalService[],
  timeoutMs: number,
): Promise<void> {
  const wanted = services.filter((service) => service.kind === "client").map((service) => service.name);
  const deadline = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([deadline, context.signal]);
  const { connectAdmin } = await import("@flare-ts/runtime/admin");
  let missing: readonly string[] = wanted;
  try {
    const session = await connectWhenUp(() => connectAdmin({ kitDir: federation.adminKit, signal }), signal, services);
    try {
      for (;;) {
        missing = await missingSites(session, wanted, signal);
        if (missing.length === 0) return;
        await pause(askMs, undefined, { signal });
      }
    } finally {
      session.close();
    }
  } catch (cause) {
    if (!deadline.aborted || context.signal.aborted) throw cause;
    throw new FlareError("poc/start-timeout", `Not connected after ${timeoutMs / 1000} s: ${missing.join(", ") || "the server"}.`, {
      facts: { missing: [...missing] },
      cause,
    });
  }
}

/** Dials until the server answers; a server process that has ended is not waited for. */
async function connectWhenUp(
  connect: () => Promise<AdminSession>,
  signal: AbortSignal,
  services: readonly LocalService[],
): Promise<AdminSession> {
  const { daemonStatus } = await import("@flare-ts/runtime");
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      if (signal.aborted || !(error instanceof FlareError && error.row.isRetryable)) throw error;
      for (const service of services) {
        if (daemonStatus(service.kit).state !== "stopped") continue;
        throw new FlareError("poc/start-timeout", `${service.name} ended right after its start; ${service.kit}/log.txt says why.`, {
          cause: error,
        });
      }
      await pause(askMs, undefined, { signal });
    }
  }
}

async function missingSites(session: AdminSession, wanted: readonly string[], signal: AbortSignal): Promise<string[]> {
  const { sites } = await session.status(signal);
  const connected = new Set(sites.filter((site) => site.state === "connected").map((site) => site.name));
  return wanted.filter((name) => !connected.has(name));
}
