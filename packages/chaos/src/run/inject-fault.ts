import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, cp, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { FaultOutcome, PlannedFault } from "../faults/fault.js";
import type { ChaosFederation, ChaosParticipant } from "../federation/chaos-federation.js";

/** What became of a fault, without when. */
export type Injected = Pick<FaultOutcome, "outcome" | "detail">;

/** How long a victim that does not run at this moment is waited for. */
const victimMs = 15_000;
const lookMs = 20;
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
  const { server, proxy } = federation;
  const site = federation.sites.get(fault.site) ?? server;
  const during = (): Promise<void> => sleep(fault.durationMs, undefined, { signal }).catch(() => undefined);
  const lasted = `for ${(fault.durationMs / 1000).toFixed(1)} s`;
  switch (fault.kind) {
    case "kill-server":
      return await killParent(server, signal);
    case "kill-site":
      return await killParent(site, signal);
    case "kill-server-job":
      return await killBelow(server, "server-job-main", signal);
    case "kill-site-job":
      return await killBelow(site, "site-job-main", signal);
    case "kill-trainer":
      return await killBelow(site, "train.ts", signal);
    case "site-away":
      return await takeAway(site, during(), lasted, signal);
    case "cut": {
      const how = await proxy.cut(fault.bytes, AbortSignal.any([signal, AbortSignal.timeout(victimMs)]));
      return how === "cut" ? injected(`a connection, after ${fault.bytes} bytes`) : noVictim(`fewer than ${fault.bytes} bytes passed`);
    }
    case "black-hole":
      return links(await proxy.blackHole(during()), lasted);
    case "throttle":
      return links(await proxy.throttle(throttleBits, during()), lasted);
    case "delay":
      return links(await proxy.delay(delayMs, during()), lasted);
    case "reorder": {
      const held = proxy.reorder(during());
      proxy.resetAll();
      return links(await held, lasted);
    }
    case "disk-full-server":
      return await fillDisk(server, during(), lasted);
    case "disk-full-site":
      return await fillDisk(site, during(), lasted);
    case "clock-server":
      return await moveClock(server, fault, during(), lasted);
    case "clock-site":
      return await moveClock(site, fault, during(), lasted);
    case "twin":
      return await startTwin(federation, fault.isServers ? server : site, signal);
    case "move-server":
      return await moveServer(server, signal);
  }
}

function injected(detail: string): Injected {
  return { outcome: "injected", detail };
}

function noVictim(detail: string): Injected {
  return { outcome: "no-victim", detail };
}

function links({ connections }: { readonly connections: number }, lasted: string): Injected {
  return injected(`${connections} ${connections === 1 ? "connection" : "connections"} ${lasted}`);
}

async function killParent({ service }: ChaosParticipant, signal: AbortSignal): Promise<Injected> {
  await found(() => service.pid, signal);
  const pid = await service.kill();
  return pid === undefined ? noVictim(`${service.name} did not run`) : injected(`process ${pid} of ${service.name}`);
}

async function killBelow({ service }: ChaosParticipant, text: string, signal: AbortSignal): Promise<Injected> {
  const pid = await found(() => service.descendants().find(({ commandLine }) => commandLine.includes(text))?.pid, signal);
  if (pid === undefined || !kill(pid)) return noVictim(`${service.name} had no process with ${text}`);
  return injected(`process ${pid} of ${service.name}`);
}

async function takeAway({ service }: ChaosParticipant, during: Promise<void>, lasted: string, signal: AbortSignal): Promise<Injected> {
  await found(() => service.pid, signal);
  const below = service.descendants();
  const pid = await service.kill(during);
  for (const entry of below) kill(entry.pid);
  await during;
  return pid === undefined ? noVictim(`${service.name} did not run`) : injected(`${service.name} with ${below.length} processes, ${lasted}`);
}

async function fillDisk({ service, disk, shim }: ChaosParticipant, during: Promise<void>, lasted: string): Promise<Injected> {
  if (disk !== undefined) {
    await disk.fill(during);
    return injected(`file system of ${service.name} ${lasted}`);
  }
  shim.order({ isDiskFull: true });
  try {
    await during;
  } finally {
    shim.order({ isDiskFull: false });
  }
  return injected(`writes of ${service.name} through node:fs, not those of its database, ${lasted}`);
}

async function moveClock({ service, shim }: ChaosParticipant, fault: PlannedFault, during: Promise<void>, lasted: string): Promise<Injected> {
  shim.order({ clockOffsetMs: fault.clockMs });
  try {
    await during;
  } finally {
    shim.order({ clockOffsetMs: 0 });
  }
  return injected(`${service.name} by ${fault.clockMs > 0 ? "+" : "-"}1 h ${lasted}`);
}

async function startTwin({ command }: ChaosFederation, { service }: ChaosParticipant, signal: AbortSignal): Promise<Injected> {
  if ((await found(() => (service.isReady ? true : undefined), signal)) === undefined) return noVictim(`${service.name} was not ready`);
  const { pid, kit, kind } = service;
  const twin = spawn(command.node, [command.cli, kind, "start", kit], { stdio: ["ignore", "ignore", "pipe"], timeout: victimMs });
  let said = "";
  twin.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const [code] = (await once(twin, "close")) as [number | null];
  if (service.pid !== pid) return { outcome: "failed", detail: `the first ${service.name} ended when a second was started` };
  if (code === 0 || !said.includes("runtime/already-running")) {
    return { outcome: "failed", detail: `the second ${service.name} was not refused; it ended with ${code}: ${said}` };
  }
  return injected(`${service.name}: the second was refused, process ${pid} goes on`);
}

/** As after the loss of a machine: everything on it is dead, and what is left is its disk. */
async function moveServer({ service, place }: ChaosParticipant, signal: AbortSignal): Promise<Injected> {
  await found(() => service.pid, signal);
  const { kit: from } = service;
  const to = join(place, `kit-${service.starts}`);
  const below = service.descendants();
  let moved: () => void = () => undefined;
  const pid = await service.kill(new Promise<void>((resolve) => (moved = resolve)));
  try {
    for (const entry of below) kill(entry.pid);
    await goneOf(below.map((entry) => entry.pid));
    await cp(from, to, { recursive: true, preserveTimestamps: true });
    await chmod(to, 0o700);
    service.moveTo(to);
    await rm(from, { recursive: true, force: true });
  } finally {
    moved();
  }
  return pid === undefined ? noVictim(`${service.name} did not run`) : injected(`${service.name} goes on in ${basename(to)}`);
}

/** What `look` finds, once it does; `undefined` after `victimMs` without. */
async function found<Value>(look: () => Value | undefined, signal: AbortSignal): Promise<Value | undefined> {
  const deadline = performance.now() + victimMs;
  while (!signal.aborted) {
    const value = look();
    if (value !== undefined || performance.now() > deadline) return value;
    await sleep(lookMs);
  }
  return undefined;
}

async function goneOf(pids: readonly number[]): Promise<void> {
  while (pids.some((pid) => isThere(pid))) await sleep(lookMs);
}

function isThere(pid: number): boolean {
  return existsSync(`/proc/${pid}/cwd`);
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}
