import { rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { flareCommandPath } from "@flare-ts/cli";
import { createFederation, type Federation } from "@flare-ts/testing";
import { evenTensors } from "../../aggregate/layouts/synthetic.ts";
import { limitMemory, type MemoryGroup } from "../../memory/memory-group.ts";
import type { LargeSettings } from "./large-settings.ts";
import { look, type MemorySample, ParticipantWatch, processorSeconds, type WatchedParticipant } from "./watch-participants.ts";
import { writeLargeJob } from "./write-large-job.ts";

/** What was seen of a participant's own processes: at a site, all but the trainers. */
export interface ParticipantMemory {
  readonly name: string;
  /** Before there was a job. */
  readonly idleBytes: number;
  readonly peakBytes: number;
  /** Most in each round in which it was looked at, the first included. */
  readonly perRound: readonly number[];
  /** Processor time of the parent process while the job ran. */
  readonly parentSeconds: number;
}

/** Rounds of a large model. */
export interface LargeRounds {
  /** Seconds of each round in which nobody looked at the memory. */
  readonly seconds: readonly number[];
  /** Of these, what the aggregation took. */
  readonly aggregationSeconds: readonly number[];
  /** Bytes of the updates of a round. */
  readonly updateBytes: number;
  readonly server: ParticipantMemory;
  readonly sites: readonly ParticipantMemory[];
  /** The kernel's own account of the server's processes, where it keeps a limit for them. */
  readonly kernel: { readonly limitBytes: number; readonly kills: number; readonly peakBytes: number | null } | null;
  /** Why the kernel keeps none although one was asked for. */
  readonly noKernel: string | null;
}

/** Processes settle so long before they count as idle. */
const settleMs = 1_500;
const serverGenerations = 16;
const siteGenerations = 1;

/** Looking at the memory takes time from what is measured: every second round is timed, and memory is looked at in the others. */
const isTimed = (round: number): boolean => round % 2 === 1;

/** Runs a job over real processes and mutual TLS; the first round, in which processes start, counts for memory only. */
export async function measureLargeRounds(settings: LargeSettings): Promise<LargeRounds> {
  const { sites: siteCount, maxMemory, siteMaxMemory } = settings;
  const names = Array.from({ length: siteCount }, (_, i) => `site-${i + 1}`);
  const limit = (bytes: number | undefined): readonly string[] => (bytes === undefined ? [] : ["--max-memory", String(bytes)]);
  const federation = await createFederation({
    sites: names,
    program: flareCommandPath(),
    startArguments: { server: limit(maxMemory), ...Object.fromEntries(names.map((name) => [name, limit(siteMaxMemory)])) },
  });
  const kept: { group?: MemoryGroup; reason?: string } = {};
  try {
    const folder = join(federation.folder, "job");
    const { modelBytes, rounds, trainer, wire } = settings;
    const tensors = evenTensors(Math.ceil(modelBytes / 4), 160, "F32");
    await writeLargeJob({ folder, tensors, rounds: 2 * rounds + 1, sites: siteCount, trainer, wire });
    await startServer(federation, maxMemory, kept);
    await Promise.all(names.map((name) => federation.start(name)));
    return await runJob(federation, names, folder, kept, maxMemory);
  } finally {
    await federation.dispose();
    await kept.group?.remove();
  }
}

/** The server starts inside a cgroup, which what it starts inherits; this process is in it for that moment only. */
async function startServer(
  federation: Federation,
  maxMemory: number | undefined,
  kept: { group?: MemoryGroup; reason?: string },
): Promise<void> {
  if (maxMemory === undefined) {
    await federation.start("server");
    return;
  }
  // This process may hold more than the limit, so a shell of its own size could not be moved; what it starts is charged anew.
  const limited = await limitMemory(process.pid, maxMemory);
  if ("reason" in limited) kept.reason = limited.reason;
  else kept.group = limited;
  try {
    await federation.start("server");
  } finally {
    await kept.group?.release(process.pid);
  }
}

async function runJob(
  federation: Federation,
  names: readonly string[],
  folder: string,
  { group, reason }: { readonly group?: MemoryGroup; readonly reason?: string },
  maxMemory: number | undefined,
): Promise<LargeRounds> {
  const watched = (name: string, ownGenerations: number): WatchedParticipant => ({
    name,
    pid: federation.pidOf(name) ?? 0,
    ownGenerations,
  });
  const participants = [watched("server", serverGenerations), ...names.map((name) => watched(name, siteGenerations))];
  await sleep(settleMs);
  const idle = await look(participants);
  const before = await Promise.all(participants.map(({ pid }) => processorSeconds(pid)));
  const watch = new ParticipantWatch({ participants });
  const opened: number[] = [];
  const aggregationSeconds: number[] = [];
  const updates: number[] = [];
  let endedAs = "";
  const admin = await federation.admin();
  try {
    const { jobId } = await admin.submitJob(folder);
    // Nobody needs it any more, and of a large model the disk has many copies.
    await rm(folder, { recursive: true });
    for await (const { event, atMs } of admin.watchJob(jobId)) {
      if (event.type === "round-opened" || event.type === "workflow-ended") opened.push(atMs);
      if (event.type === "round-opened") watch.isPaused = isTimed(event.round);
      if (event.type === "round-closed") {
        aggregationSeconds.push(event.aggregationSeconds);
        updates.push(event.bytes);
      }
      if (event.type === "task-failed") process.stderr.write(`${event.site} failed: ${event.error.message}\n`);
      if (event.type === "job-ended") endedAs = `${event.status}: ${event.reason}`;
    }
  } finally {
    admin.close();
    await watch.stop();
  }
  if (!endedAs.startsWith("FINISHED:COMPLETED")) throw new Error(`the job ended as ${endedAs}`);
  const after = await Promise.all(participants.map(({ pid }) => processorSeconds(pid)));
  const memory = participants.map(({ name }, i) => ({
    name,
    idleBytes: idle.bytes[name] ?? 0,
    peakBytes: Math.max(...watch.samples.map(({ bytes }) => bytes[name] ?? 0)),
    perRound: perRound(watch.samples, opened, name),
    parentSeconds: (after[i] ?? 0) - (before[i] ?? 0),
  }));
  const [server, ...sites] = memory;
  if (server === undefined) throw new TypeError("nobody was looked at");
  const kernel =
    group === undefined || maxMemory === undefined
      ? null
      : { limitBytes: maxMemory, kills: await group.kills(), peakBytes: (await group.peak()) ?? null };
  return {
    seconds: opened
      .slice(1)
      .map((ms, round) => (ms - (opened[round] ?? 0)) / 1000)
      .filter((_, round) => isTimed(round)),
    aggregationSeconds: aggregationSeconds.filter((_, round) => isTimed(round)),
    updateBytes: updates.at(-1) ?? 0,
    server,
    sites,
    kernel,
    noKernel: reason ?? null,
  };
}

function perRound(samples: readonly MemorySample[], opened: readonly number[], name: string): readonly number[] {
  const rounds = opened.slice(0, -1).map((from, round) => {
    const to = opened[round + 1] ?? Number.POSITIVE_INFINITY;
    return samples.reduce((most, { atMs, bytes }) => (atMs >= from && atMs < to ? Math.max(most, bytes[name] ?? 0) : most), 0);
  });
  return rounds.filter((_, round) => !isTimed(round));
}
