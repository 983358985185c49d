import { availableParallelism } from "node:os";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import type { CommandContext } from "../../command-line/command-context.js";
import type { LocalService } from "../../local-federation/local-service.js";
import { startService } from "../../local-federation/start-service.js";
import { endProcesses } from "./end-processes.js";
import type { SimulatedSite } from "./plan-simulation.js";
import { simulatorDefaults } from "./simulator-defaults.js";

export interface RunFederationInit {
  readonly workspace: string;
  readonly services: readonly LocalService[];
  readonly sites: readonly SimulatedSite[];
}

/** A site that starts needs a core for half a second; more at a time only make each other late. */
const startsAtATime = Math.max(2, availableParallelism());

/** Starts the server, then the sites, does the work, and stops them all, whatever happens: also when this process is told to exit at once. */
export async function withRunningFederation<Result>(
  context: Pick<CommandContext, "signal" | "terminal">,
  init: RunFederationInit,
  work: () => Promise<Result>,
): Promise<Result> {
  const groups: number[] = [];
  // Each has a group to itself, and stops in good order whether or not somebody waits for it.
  const onExit = (): void => groups.forEach(tellToStop);
  process.on("exit", onExit);
  try {
    await startAll(context, init, (group) => groups.push(group));
    return await work();
  } finally {
    await endProcesses(init.workspace, init.services);
    process.off("exit", onExit);
  }
}

function tellToStop(group: number): void {
  try {
    process.kill(-group, "SIGTERM");
  } catch {
    // It has ended.
  }
}

async function startAll(
  context: Pick<CommandContext, "signal" | "terminal">,
  { services, sites }: RunFederationInit,
  onSpawned: (group: number) => void,
): Promise<void> {
  const gpusOf = new Map(sites.map(({ name, visibleGpus }) => [name, visibleGpus]));
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  const start = async (service: LocalService): Promise<void> => {
    const gpus = gpusOf.get(service.name);
    const { ready } = startService(service, {
      // Nobody else has to reach it.
      args: service.kind === "server" ? ["--host", "127.0.0.1"] : [],
      environment: gpus === undefined ? {} : { CUDA_VISIBLE_DEVICES: gpus },
      timeoutMs: simulatorDefaults.startSeconds * 1000,
      onSpawned,
      signal,
    });
    const { state } = await ready;
    if (state === "ready") return;
    const log = join(service.kit, "log.txt");
    throw new FlareError(
      "runtime/start-failed",
      `${service.name} is not ready after ${simulatorDefaults.startSeconds} s; its log is ${log}.`,
      {
        facts: { folder: service.kit, log },
      },
    );
  };
  const clients = services.filter(({ kind }) => kind === "client");
  for (const service of services) if (service.kind === "server") await start(service);
  const waiting = clients.values();
  let count = 0;
  const startInTurn = async (): Promise<void> => {
    for (const service of waiting) {
      signal.throwIfAborted();
      await start(service);
      count += 1;
      context.terminal.draw(count === clients.length ? [] : [`${count} of ${clients.length} sites are connected`]);
    }
  };
  const workers = Array.from({ length: Math.min(startsAtATime, clients.length) }, startInTurn);
  try {
    await Promise.all(workers);
  } catch (error) {
    failed.abort();
    await Promise.allSettled(workers);
    throw error;
  }
}
