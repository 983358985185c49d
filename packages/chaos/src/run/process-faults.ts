import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, cp, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ChaosFederation, ChaosParticipant } from "../federation/chaos-federation.js";
import { type Injected, injected, noVictim, victimMs } from "./injected.js";

const lookMs = 20;

/** Kills the parent process; those below it find out by themselves. */
export async function killParent({ service }: ChaosParticipant, signal: AbortSignal): Promise<Injected> {
  await found(() => service.pid, signal);
  const pid = await service.kill();
  return pid === undefined ? noVictim(`${service.name} did not run`) : injected(`process ${pid} of ${service.name}`);
}

/** Kills the first process below the parent whose command line holds a text. */
export async function killBelow({ service }: ChaosParticipant, text: string, signal: AbortSignal): Promise<Injected> {
  const pid = await found(() => service.descendants().find(({ commandLine }) => commandLine.includes(text))?.pid, signal);
  if (pid === undefined || !kill(pid)) return noVictim(`${service.name} had no process with ${text}`);
  return injected(`process ${pid} of ${service.name}`);
}

/** Kills a participant with everything below it, which stays away for a while. */
export async function takeAway(
  { service }: ChaosParticipant,
  during: () => Promise<void>,
  lasted: string,
  signal: AbortSignal,
): Promise<Injected> {
  await found(() => service.pid, signal);
  const below = service.descendants();
  const isOver = during();
  const pid = await service.kill(isOver);
  for (const entry of below) kill(entry.pid);
  await isOver;
  return pid === undefined
    ? noVictim(`${service.name} did not run`)
    : injected(`${service.name} with ${below.length} processes, ${lasted}`);
}

/** Starts a second process with a kit that is in use, which must be refused. */
export async function startTwin({ command }: ChaosFederation, { service }: ChaosParticipant, signal: AbortSignal): Promise<Injected> {
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
export async function moveServer({ service, place }: ChaosParticipant, signal: AbortSignal): Promise<Injected> {
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
