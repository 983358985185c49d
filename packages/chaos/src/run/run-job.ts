import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { JournalEntry } from "@flare-ts/runtime/admin";
import { ChaosFederation, type ChaosFederationInit } from "../federation/chaos-federation.js";
import { processesIn } from "../federation/process-tree.js";
import { followJob, insist } from "./follow-job.js";
import { fileShapes, findLeftBehind, type LeftBehind } from "./left-behind.js";
import { type DeliveredUpdate, readDelivered } from "./read-delivered.js";

export interface RunJobInit {
  readonly federation: ChaosFederationInit;
  readonly jobFolder: string;
  /** Makes the federation suffer, once the job runs, until the signal is aborted. */
  readonly disturb?: (federation: ChaosFederation, signal: AbortSignal) => Promise<void>;
  readonly onEntry: (entry: JournalEntry) => void;
  readonly signal: AbortSignal;
}

/** A job from its submission to its end, and what there is after it. */
export interface RunResult {
  readonly journal: readonly JournalEntry[];
  /** SHA-256 of each downloaded file of the result, by path. */
  readonly results: Readonly<Record<string, string>>;
  /** What sites know to have handed in. */
  readonly delivered: readonly DeliveredUpdate[];
  readonly leftBehind: LeftBehind;
  /** Participants that did not stop when they were asked to. */
  readonly killed: readonly string[];
  /** Files that a participant has in the end, by shape. */
  readonly files: Readonly<Record<string, ReadonlyMap<string, number>>>;
  /** Files in the folder for temporary files. */
  readonly temporary: readonly string[];
  readonly seconds: number;
}

/** Job processes end by themselves when a job does; they are given so long. */
const jobEndMs = 30_000;
const lookMs = 50;

/** Starts a federation from copies of kits, runs a job on it to its end, stops it, and says what is left. */
export async function runJob({ federation: init, jobFolder, disturb, onEntry, signal }: RunJobInit): Promise<RunResult> {
  const federation = await ChaosFederation.create(init);
  try {
    await federation.start(signal);
    const connect = (both: AbortSignal): ReturnType<ChaosFederation["admin"]> => federation.admin(both);
    const { jobId } = await insist(async () => {
      const admin = await connect(signal);
      try {
        return await admin.submitJob(jobFolder, { signal });
      } finally {
        admin.close();
      }
    }, signal);
    const startMs = performance.now();
    const ended = new AbortController();
    const disturbance = disturb?.(federation, AbortSignal.any([signal, ended.signal]));
    const followed = followJob({ connect, jobId, onEntry, signal }).finally(() => ended.abort());
    // A fault that is under way is over before anything is looked at, or stopped.
    const [outcome] = await Promise.allSettled([followed, disturbance]);
    if (outcome.status === "rejected") throw outcome.reason;
    const journal = outcome.value;
    const seconds = (performance.now() - startMs) / 1000;
    // Whoever was killed last has to hear that the job is over, before it is asked to stop.
    await federation.ready(signal);
    const results = await downloadResults(federation, jobId, signal);
    await jobProcessesGone(init.folder, jobId, signal);
    const ports = [init.kits.port, federation.port];
    const killed = await federation.stop();
    await federation.proxy.stop();
    const sites = [...federation.sites.values()].map(({ service }) => service);
    return {
      journal,
      results,
      delivered: (await Promise.all(sites.map(({ name, kit }) => readDelivered(name, join(kit, "log.json"))))).flat(),
      leftBehind: findLeftBehind(init.folder, ports),
      killed,
      files: Object.fromEntries(federation.participants.map(({ service }) => [service.name, fileShapes(service.kit)])),
      temporary: [...fileShapes(join(init.folder, "tmp")).keys()],
      seconds,
    };
  } finally {
    await federation.stop();
    await federation.remove();
  }
}

async function downloadResults(federation: ChaosFederation, jobId: string, signal: AbortSignal): Promise<Record<string, string>> {
  const folder = join(federation.folder, "results");
  const { dir, files } = await insist(async () => {
    const admin = await federation.admin(signal);
    try {
      return await admin.downloadJob(jobId, folder, { signal });
    } finally {
      admin.close();
    }
  }, signal);
  const hashes: Record<string, string> = {};
  for (const { path } of files)
    hashes[path] = createHash("sha256")
      .update(await readFile(join(dir, path)))
      .digest("hex");
  await rm(folder, { recursive: true, force: true });
  return hashes;
}

async function jobProcessesGone(folder: string, jobId: string, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + jobEndMs;
  while (processesIn(folder).some(({ commandLine }) => commandLine.includes(jobId)) && performance.now() < deadline) {
    await sleep(lookMs, undefined, { signal });
  }
}
