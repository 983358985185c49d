import { setTimeout as sleep } from "node:timers/promises";
import type { FaultKind, PlannedFault } from "../faults/fault.js";
import type { ChaosFederation, ChaosParticipant } from "../federation/chaos-federation.js";
import { trainScriptStem } from "../job/train-scripts.js";
import { type Injected, injected, noVictim, victimMs } from "./injected.js";
import { fillDisk, moveClock } from "./machine-faults.js";
import { killBelow, killParent, moveServer, startTwin, takeAway } from "./process-faults.js";

const throttleBits = 1_000_000;
const delayMs = 300;

/** What a fault takes hold of: two faults of the same part wait for each other. */
export function partOf({ kind, site, isServers }: PlannedFault): string {
  if (kind === "cut" || kind === "throttle" || kind === "delay" || kind === "reorder" || kind === "black-hole") return `links:${kind}`;
  if (kind.includes("server") || (kind === "twin" && isServers)) return "server";
  return `site:${site}`;
}

/** Makes one fault happen, and resolves when it is over. */
export async function injectFault(federation: ChaosFederation, fault: PlannedFault, signal: AbortSignal): Promise<Injected> {
  return await injectors[fault.kind]({
    federation,
    fault,
    signal,
    site: federation.sites.get(fault.site) ?? federation.server,
    during: () => sleep(fault.durationMs, undefined, { signal }).catch(() => undefined),
    lasted: `for ${(fault.durationMs / 1000).toFixed(1)} s`,
  });
}

interface Scene {
  readonly federation: ChaosFederation;
  readonly fault: PlannedFault;
  readonly site: ChaosParticipant;
  readonly signal: AbortSignal;
  /** As long as the fault lasts. */
  readonly during: () => Promise<void>;
  readonly lasted: string;
}

const injectors: Readonly<Record<FaultKind, (scene: Scene) => Promise<Injected>>> = {
  "kill-server": ({ federation, signal }) => killParent(federation.server, signal),
  "kill-site": ({ site, signal }) => killParent(site, signal),
  "kill-server-job": ({ federation, signal }) => killBelow(federation.server, "server-job-main", signal),
  "kill-site-job": ({ site, signal }) => killBelow(site, "site-job-main", signal),
  "kill-trainer": ({ site, signal }) => killBelow(site, trainScriptStem, signal),
  "site-away": ({ site, during, lasted, signal }) => takeAway(site, during, lasted, signal),
  cut: async ({ federation, fault: { bytes }, signal }) => {
    const how = await federation.proxy.cut(bytes, AbortSignal.any([signal, AbortSignal.timeout(victimMs)]));
    return how === "cut" ? injected(`a connection, after ${bytes} bytes`) : noVictim(`fewer than ${bytes} bytes passed`);
  },
  "black-hole": async ({ federation, during, lasted }) => links(await federation.proxy.blackHole(during()), lasted),
  throttle: async ({ federation, during, lasted }) => links(await federation.proxy.throttle(throttleBits, during()), lasted),
  delay: async ({ federation, during, lasted }) => links(await federation.proxy.delay(delayMs, during()), lasted),
  reorder: async ({ federation, during, lasted }) => {
    const held = federation.proxy.reorder(during());
    federation.proxy.resetAll();
    return links(await held, lasted);
  },
  "disk-full-server": ({ federation, during, lasted }) => fillDisk(federation.server, during(), lasted),
  "disk-full-site": ({ site, during, lasted }) => fillDisk(site, during(), lasted),
  "clock-server": ({ federation, fault, during, lasted }) => moveClock(federation.server, fault, during(), lasted),
  "clock-site": ({ site, fault, during, lasted }) => moveClock(site, fault, during(), lasted),
  twin: ({ federation, fault, site, signal }) => startTwin(federation, fault.isServers ? federation.server : site, signal),
  "move-server": ({ federation, signal }) => moveServer(federation.server, signal),
};

function links({ connections }: { readonly connections: number }, lasted: string): Injected {
  if (connections === 0) return noVictim("there was no connection");
  return injected(`${connections} ${connections === 1 ? "connection" : "connections"} ${lasted}`);
}
