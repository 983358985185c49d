import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Figure, MemoryFigure } from "../../result/result.ts";
import type { Contestant } from "../contestant.ts";
import { type ExactRule, exactLowerMedian, exactMean, exactMedian, exactTrimmedMean } from "../exact/exact-value.ts";
import { largestError } from "../exact/largest-error.ts";
import type { SampledElement } from "../exact/sample-elements.ts";
import { weightsOf } from "../updates/weights.ts";
import { type BaselineForm, type BaselineName, baselineForm } from "./forms.ts";
import type { PythonProcess } from "./python-process.ts";

export interface BaselinesInit {
  /** With the updates loaded. */
  readonly python: PythonProcess;
  readonly forms: readonly BaselineName[];
  readonly threads: readonly number[];
  /** Values cut off at each end, for a trimmed mean. */
  readonly cut: number;
  readonly clients: number;
  readonly updateBytes: number;
  readonly folder: string;
  readonly sample: readonly SampledElement[];
  /** Values of the sampled elements in each update. */
  readonly inputs: readonly (readonly number[])[];
  /** Bytes that may be taken beside the updates. */
  readonly freeBytes: number;
  readonly signal: AbortSignal;
}

export interface Baselines {
  readonly contestants: readonly Contestant[];
  readonly memory: readonly MemoryFigure[];
  /** By the figures' ids. */
  readonly errors: ReadonlyMap<string, Figure["error"]>;
  readonly notes: readonly string[];
}

/** Threads of OpenBLAS go on spinning for up to 2^26 clock ticks after their work, and would slow down whoever comes next. */
const settleMs = 50;

/** The id of the figure of a baseline. */
function baselineId(form: BaselineName, threads: number): string {
  return `baseline/${form}/t${threads}`;
}

/** Tries each form once, for its error and memory, and makes contestants of those that run. */
export async function openBaselines(init: BaselinesInit): Promise<Baselines> {
  const { python, clients, updateBytes } = init;
  const contestants: Contestant[] = [];
  const memory: MemoryFigure[] = [];
  const errors = new Map<string, Figure["error"]>();
  const notes: string[] = [];
  for (const form of init.forms) {
    const { library, what, rule, readsFiles, memoryFactor, threads: kind } = baselineForm(form);
    if (library === "torch" && python.versions.torch === null) continue;
    if (memoryFactor * clients * updateBytes > init.freeBytes) {
      notes.push(`${what} was left out: this machine has no memory for it beside the updates.`);
      continue;
    }
    const blasThreads = python.versions.blas.threads ?? 1;
    for (const threads of kind === "told" ? init.threads : [kind === "blas" ? blasThreads : 1]) {
      init.signal.throwIfAborted();
      const id = baselineId(form, threads);
      const run = { form, threads, cut: init.cut, outPath: join(init.folder, "baseline.bin") };
      const exact = exactRules[rule](init.cut);
      const at = exact === undefined ? undefined : init.sample.map(({ flat }) => flat);
      try {
        const trial = await python.run({ ...run, memory: true, ...(at === undefined ? {} : { at }) });
        memory.push({ id, group: "baseline", what, kernelBytes: null, addedBytes: trial.addedBytes ?? null });
        if (exact !== undefined) errors.set(id, largestError(trial.values ?? [], init.inputs, weightsOf(clients), exact));
      } catch (cause) {
        notes.push(`${what} was left out: ${cause instanceof Error ? cause.message : String(cause)}`);
        continue;
      }
      contestants.push({
        figures: [
          { id, group: "baseline", what, source: readsFiles ? "files" : "memory", threads, bytes: clients * updateBytes, against: {} },
        ],
        run: async () => {
          const { ms } = await python.run(run);
          if (threads > 1) await setTimeout(settleMs);
          return [ms];
        },
      });
    }
  }
  return { contestants, memory, errors, notes };
}

const exactRules: Readonly<Record<BaselineForm["rule"], (cut: number) => ExactRule | undefined>> = {
  mean: () => exactMean,
  median: () => exactMedian,
  "lower-median": () => exactLowerMedian,
  "trimmed-mean": (cut) => exactTrimmedMean(cut),
  // Not of single elements.
  distances: () => undefined,
};
