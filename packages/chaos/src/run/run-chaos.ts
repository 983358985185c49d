import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fedBuff } from "@flare-ts/aggregator";
import { FlareError } from "@flare-ts/contracts";
import type { JournalEntry } from "@flare-ts/runtime/admin";
import type { FaultKind, FaultOutcome, PlannedFault } from "../faults/fault.js";
import { planFaults } from "../faults/plan-faults.js";
import type { ChaosFederation } from "../federation/chaos-federation.js";
import type { ChaosKits } from "../federation/chaos-kits.js";
import type { FlareCommand } from "../federation/supervised-service.js";
import type { TrainerLanguage } from "../job/train-scripts.js";
import { fedBuffSettings, initialModelOf, type JobCourse, writeChaosJob } from "../job/write-chaos-job.js";
import { seededRandom } from "../random.js";
import { bufferedWork } from "./check-buffered.js";
import { checkFaults, checkRun, type RunCheck } from "./check-run.js";
import { injectFault, partOf } from "./inject-fault.js";
import { remakeModels } from "./remake-models.js";
import { type RunResult, runJob } from "./run-job.js";

export interface RunChaosInit {
  readonly kits: ChaosKits;
  /** How to call `flare`. */
  readonly command: FlareCommand;
  /** Folder for everything that the run writes; made, and removed when all is well. */
  readonly folder: string;
  readonly seed: number;
  /** How many faults. */
  readonly faults: number;
  readonly kinds: readonly FaultKind[];
  /** Numbers of the model, 4 bytes each. @default 1_000_000 */
  readonly parameters?: number;
  readonly trainer?: TrainerLanguage;
  readonly course?: JobCourse;
  readonly onProgress: (progress: ChaosProgress) => void;
  readonly signal: AbortSignal;
}

/** What is happening. */
export type ChaosProgress =
  | { readonly type: "phase"; readonly phase: "undisturbed" | "disturbed"; readonly rounds: number }
  | { readonly type: "entry"; readonly entry: JournalEntry }
  | { readonly type: "fault"; readonly outcome: FaultOutcome };

/** What a run has shown. */
export interface ChaosReport {
  readonly seed: number;
  readonly rounds: number;
  readonly isGood: boolean;
  readonly checks: readonly RunCheck[];
  readonly faults: readonly FaultOutcome[];
  /** Seconds that the job took. */
  readonly undisturbedSeconds: number;
  readonly disturbedSeconds: number;
  /** Where logs and workspaces are kept; there only when something is not good. */
  readonly folder: string | undefined;
}

/** Faults that are under way at once, at most. */
const atOnce = 3;
/** A round of the disturbed run takes this long at least, so that faults fall into every part of it. */
const trainMs = 400;
/** By so much longer at most, where sites do not wait for each other: none is the slow one for long. */
const unevenMs = 800;
/** So that a job does not end before its faults. Where sites do not wait for each other, a fault keeps fewer of them from going on. */
const roundsPerFault = { async: 1, others: 1 / 4 };
/** How long a disturbed job may take for each fault, and altogether, before it counts as one that does not end; milliseconds. */
const endMs = { perFault: 30_000, least: 300_000 };

/**
 * Runs a job on copies of a federation's kits twice, first in peace, then while faults happen to it, and compares. The job of the
 * second run lasts until all faults have had their turn.
 *
 * @throws FlareError what keeps the federation from starting; the reason of `signal` when it is aborted.
 */
export async function runChaos(init: RunChaosInit): Promise<ChaosReport> {
  const { kits, command, folder, seed, faults, kinds, parameters = 1_000_000, trainer, course = "rounds", onProgress, signal } = init;
  const sites = kits.sites.map(({ name }) => name);
  const plan = planFaults({ seed, count: faults, kinds, sites });
  const isAsync = course === "async";
  const rounds = Math.max(3, Math.ceil(faults * (isAsync ? roundsPerFault.async : roundsPerFault.others)));
  const jobFolderOf = (phase: string): string => join(folder, `${phase}-job`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const run = async (phase: "undisturbed" | "disturbed", disturb?: Disturb): Promise<RunResult> => {
    onProgress({ type: "phase", phase, rounds });
    const jobFolder = jobFolderOf(phase);
    const isSlow = disturb !== undefined;
    await writeChaosJob({
      folder: jobFolder,
      rounds,
      sites: sites.length,
      parameters,
      trainMs: isSlow ? trainMs : 0,
      unevenMs: isSlow && isAsync ? unevenMs : 0,
      ...(trainer === undefined ? {} : { trainer }),
      course,
    });
    return await runJob({
      federation: { kits, folder: join(folder, phase), command, random: seededRandom(seed).next },
      jobFolder,
      ...(disturb === undefined ? {} : { disturb }),
      onEntry: (entry) => onProgress({ type: "entry", entry }),
      signal:
        disturb === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(Math.max(endMs.least, faults * endMs.perFault))]),
    });
  };
  const undisturbed = await run("undisturbed");
  const outcomes: FaultOutcome[] = [];
  const note = (outcome: FaultOutcome): void => {
    outcomes.push(outcome);
    onProgress({ type: "fault", outcome });
  };
  const disturbed = await run("disturbed", (federation, ended) => injectAll(federation, plan, note, ended));
  const remake = async (): Promise<readonly RunCheck[]> => {
    const strategy = fedBuff(fedBuffSettings);
    const made = { journal: disturbed.journal, initialModel: initialModelOf(jobFolderOf("disturbed")), strategy };
    return bufferedWork(disturbed, await remakeModels({ ...made, folder: join(folder, "remade"), signal }));
  };
  const checks = [...checkRun(disturbed, undisturbed, isAsync ? await remake() : undefined), checkFaults(outcomes)];
  const isGood = checks.every((check) => check.isGood);
  if (isGood) await rm(folder, { recursive: true, force: true });
  return {
    seed,
    rounds,
    isGood,
    checks,
    faults: outcomes.toSorted((a, b) => a.fault.number - b.fault.number),
    undisturbedSeconds: undisturbed.seconds,
    disturbedSeconds: disturbed.seconds,
    folder: isGood ? undefined : folder,
  };
}

type Disturb = (federation: ChaosFederation, signal: AbortSignal) => Promise<void>;

async function injectAll(
  federation: ChaosFederation,
  plan: readonly PlannedFault[],
  note: (outcome: FaultOutcome) => void,
  signal: AbortSignal,
): Promise<void> {
  const startMs = performance.now();
  const busy = new Map<string, Promise<void>>();
  for (const fault of plan) {
    const part = partOf(fault);
    await sleep(fault.gapMs, undefined, { signal }).catch(() => undefined);
    while (busy.size >= atOnce || busy.has(part)) await Promise.race(busy.values());
    const atMs = Math.round(performance.now() - startMs);
    if (signal.aborted) {
      note({ fault, atMs, outcome: "not-reached", detail: "the job was over" });
      continue;
    }
    const done = injectFault(federation, fault, signal)
      .catch((error: unknown) => ({ outcome: "failed" as const, detail: FlareError.from(error).message }))
      .then((result) => {
        busy.delete(part);
        note({ fault, atMs, ...result });
      });
    busy.set(part, done);
  }
  await Promise.all(busy.values());
}
