import { bytesSource } from "../byte-source.js";
import { encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { parseSafetensorsHeader } from "../safetensors/read-header.js";
import { type Arithmetic, type FoldUpdate, plainFold } from "../session/arithmetic.js";
import { indexModel, matchLayout } from "../session/match-layout.js";
import type { Combine } from "../strategies/strategy.js";
import type { CombineDevice } from "./combine-device.js";
import { deviceArithmetic } from "./device-arithmetic.js";
import type { DeviceName, OpenedDevice } from "./device-openers.js";
import { readTrial, writeTrial } from "./trials-file.js";

/** What is going to be aggregated. */
export interface Workload {
  readonly updates: number;
  /** Floating elements of the model. */
  readonly elements: number;
  /** `distances`: a mean of updates whose distances are measured first. */
  readonly combine: "mean" | "median" | "trimmed-mean" | "distances";
}

export interface ChooseByTimeComponents {
  readonly nowMs: () => number;
  readonly cpu: Arithmetic;
  readonly open: () => Promise<OpenedDevice>;
}

export interface ChooseByTimeInit {
  readonly name: DeviceName;
  readonly mode: "exact" | "fast";
  readonly workload: Workload;
  readonly trialsFile: string | undefined;
}

/** What came of a trial. */
export interface TrialOutcome {
  /** The device, open, where it was faster. */
  readonly device: CombineDevice | undefined;
  /** A sentence that says what was measured, or why nothing was. */
  readonly reason: string;
}

/** A device must be so much faster to be taken: below that a trial cannot tell. */
const leastGain = 1.2;
/** Trials are made with no more than this, a second or so on a CPU; of distances, the time grows with the square of the updates. */
const most = { updates: 128, elements: 2 ** 20, values: 2 ** 24 };
const runs = 3;

/**
 * Compares a device with the CPU by folding some of the workload with both, unless a trial of the same size is known. For updates
 * that come from files or from the network a GPU rarely wins: each value is uploaded for two operations.
 */
export async function chooseByTime({ nowMs, cpu, open }: ChooseByTimeComponents, init: ChooseByTimeInit): Promise<TrialOutcome> {
  const { name, mode, workload, trialsFile } = init;
  const size = sizeOf(workload);
  const key = [name, mode, workload.combine, size.updates, size.elements].join("/");
  const known = trialsFile === undefined ? undefined : await readTrial(trialsFile, key);
  if (known !== undefined && known.deviceMs * leastGain >= known.cpuMs)
    return { device: undefined, reason: `${comparison(known, name)}, in an earlier trial: the CPU is used.` };
  const opened = await open().catch((cause: unknown): OpenedDevice => ({ reason: `It failed when it was opened: ${messageOf(cause)}` }));
  if ("reason" in opened) return { device: undefined, reason: `${name}: ${opened.reason}` };
  const { device } = opened;
  if (mode === "exact" && !device.isExact) {
    await device.close();
    return { device: undefined, reason: `${name}: ${device.device} has no exact sums.` };
  }
  try {
    const trial = known ?? {
      cpuMs: await timeOf(cpu, size, workload.combine, nowMs),
      deviceMs: await timeOf(deviceArithmetic(device, cpu, { mode }), size, workload.combine, nowMs),
      updates: size.updates,
      elements: size.elements,
    };
    if (known === undefined && trialsFile !== undefined) await writeTrial(trialsFile, key, trial);
    const isFaster = trial.deviceMs * leastGain < trial.cpuMs;
    if (!isFaster) await device.close();
    return {
      device: isFaster ? device : undefined,
      reason: `${comparison(trial, name)}: ${isFaster ? `${device.device} is used` : "the CPU is used"}.`,
    };
  } catch (cause) {
    await device.close();
    return { device: undefined, reason: `${name} failed in a trial: ${messageOf(cause)}` };
  }
}

function sizeOf(workload: Workload): { readonly updates: number; readonly elements: number } {
  const updates = Math.max(1, Math.min(workload.updates, most.updates));
  return { updates, elements: powerOfTwo(Math.min(workload.elements, most.elements, most.values / updates)) };
}

function comparison(
  {
    cpuMs,
    deviceMs,
    updates,
    elements,
  }: { readonly cpuMs: number; readonly deviceMs: number; readonly updates: number; readonly elements: number },
  name: string,
): string {
  return `${name} took ${deviceMs.toFixed(1)} ms and the CPU ${cpuMs.toFixed(1)} ms for ${updates} updates of ${elements} elements`;
}

/** Median time of folding so much, after a run to warm up. */
async function timeOf(
  arithmetic: Arithmetic,
  { updates, elements }: { readonly updates: number; readonly elements: number },
  combine: Workload["combine"],
  nowMs: () => number,
): Promise<number> {
  const kept = await Promise.all(Array.from({ length: updates }, (_, i) => keptUpdate(arithmetic, i, elements)));
  try {
    const { tensors } = parseSafetensorsHeader(sample(0, elements));
    const sources = kept.map(({ update }) => update);
    const times: number[] = [];
    for (let run = 0; run <= runs; run++) {
      const start = nowMs();
      // A device that leaves its work to the CPU has not been timed.
      const note = (sentence: string): never => {
        throw new Error(sentence);
      };
      if (combine === "distances") await arithmetic.distances({ tensors, sources, note, signal: undefined });
      const how: Combine =
        combine === "median" ? { kind: combine } : combine === "trimmed-mean" ? { kind: combine, fraction: 0.1 } : { kind: "mean" };
      const batches = arithmetic.fold({ ...plainFold(tensors, sources, how), note });
      for await (const batch of batches) void batch;
      if (run > 0) times.push(nowMs() - start);
    }
    return times.toSorted((a, b) => a - b)[runs >> 1] ?? Number.POSITIVE_INFINITY;
  } finally {
    for (const { release } of kept) release();
  }
}

async function keptUpdate(
  arithmetic: Arithmetic,
  index: number,
  elements: number,
): Promise<{ readonly update: FoldUpdate; readonly release: () => void }> {
  const bytes = sample(index, elements);
  const kept = arithmetic.keep(bytes) ?? { bytes, address: undefined, release: () => {} };
  const source = bytesSource(kept.bytes, `update ${index}`, kept.address);
  const layout = parseSafetensorsHeader(bytes);
  const stored = await matchLayout(indexModel(layout), layout, source, source.label);
  const update = {
    contributor: source.label,
    source,
    stored,
    factor: 100 + index,
    weight: 100 + index,
    findings: undefined,
    maxima: undefined,
    sums: undefined,
  };
  return { update, release: () => kept.release() };
}

function sample(seed: number, elements: number): Uint8Array {
  const data = new Float32Array(elements);
  let state = seed + 1;
  for (let i = 0; i < elements; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    data[i] = state / 2 ** 32;
  }
  return encodeSafetensors([["w", { dtype: "F32", shape: [elements], data }]]);
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function powerOfTwo(value: number): number {
  return 2 ** Math.floor(Math.log2(Math.max(1, value)));
}
