import process from "node:process";
import { readSafetensorsHeader, type TensorSpec } from "@flare-ts/aggregator";
import type { Figure, Point } from "../result/result.ts";
import type { AggregateSettings } from "./aggregate-settings.ts";
import { type Baselines, openBaselines } from "./baselines/baseline-contestants.ts";
import type { PythonProcess } from "./baselines/python-process.ts";
import { type OpenEngines, openEngines } from "./engine/engine-contestants.ts";
import { engineMemory } from "./engine/engine-memory.ts";
import { engineRows } from "./engine/engines.ts";
import { openKernels } from "./engine/open-kernels.ts";
import { readElements, type SampledElement, sampleElements } from "./exact/sample-elements.ts";
import { heldAgainst } from "./held-against.ts";
import { floatElements, tensorBytes } from "./layouts/float-dtype.ts";
import type { BandwidthThreads } from "./machine/bandwidth-threads.ts";
import { filesContestant, memoryContestants } from "./machine/machine-contestants.ts";
import { cutOf, strategyRow } from "./strategies.ts";
import { spread, takeTurns } from "./take-turns.ts";
import { weightsOf } from "./updates/weights.ts";

export interface MeasurePointInit {
  readonly settings: AggregateSettings;
  readonly tensors: readonly TensorSpec[];
  /** One for each client. */
  readonly files: readonly string[];
  /** What engines get: the same, or compressed. */
  readonly engineFiles: readonly string[];
  /** How many of them have contents of their own. */
  readonly distinctFiles: number;
  readonly folder: string;
  /** `undefined` where there is none. */
  readonly python: PythonProcess | undefined;
  /** `undefined` where there is none. */
  readonly bandwidth: BandwidthThreads | undefined;
  /** On how many threads the machine's memory is measured. */
  readonly machineThreads: readonly number[];
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface MeasuredPoint {
  readonly point: Point;
  /** What each engine ran on. */
  readonly devices: Readonly<Record<string, string>>;
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

/** Elements on which errors are measured: enough to find the largest to within a few per cent. */
const sampledElements = 2000;

/** Measures everything for one number of updates of one size. */
export async function measurePoint(init: MeasurePointInit): Promise<MeasuredPoint> {
  const { settings, tensors, files, engineFiles, folder, python, bandwidth, signal, say } = init;
  const strategy = strategyRow(settings.strategy, files.length);
  const updateBytes = tensorBytes(tensors);
  const notes: string[] = [];
  const opened: { close(): Promise<void> }[] = [];
  try {
    const sample = sampleElements(await readSafetensorsHeader(files[0] ?? ""), sampledElements);
    const inputs: (readonly number[])[] = [];
    for (const file of files) inputs.push(await readElements(file, sample));
    const baselines = await loadBaselines(init, { updateBytes, sample, inputs });
    notes.push(...baselines.notes);
    const machine = [
      ...(bandwidth === undefined ? [] : memoryContestants(bandwidth, init.machineThreads)),
      filesContestant(files, updateBytes),
    ];
    const against = heldAgainst(
      [...machine, ...baselines.contestants].flatMap((each) => each.figures),
      strategy,
    );
    say("starting engines");
    const engines = await openEngines({
      ...settings,
      model: files[0] ?? "",
      files: engineFiles,
      folder,
      signal,
      updateBytes,
      sample,
      inputs,
      strategy: strategy.strategy,
      exact: strategy.exact,
      against: against.files,
    });
    opened.push(engines);
    notes.push(...engines.notes);
    const kernels = settings.engines.some((engine) => engineRows[engine].hasKernels)
      ? await openKernels({
          ...settings,
          row: strategy,
          model: files[0] ?? "",
          files: engineFiles,
          updateBytes,
          params: floatElements(tensors),
          against: (threads) => against.memory(threads),
          note: (text) => notes.push(text),
        })
      : [];
    opened.push(...kernels);
    const ours = [...kernels.flatMap((each) => each.contestants), ...engines.contestants];
    const contestants = spread([machine, baselines.contestants, ours]);
    const samples = await takeTurns(contestants, {
      runs: settings.runs,
      signal,
      onRound: (round) => say(round === 0 ? `warming up: ${contestants.length} things to measure` : `run ${round} of ${settings.runs}`),
    });
    const errors = new Map([...baselines.errors, ...engines.errors, ...kernelErrors(engines)]);
    const figures = [...machine, ...baselines.contestants, ...ours]
      .flatMap((each) => each.figures)
      .map((head): Figure => {
        const error = errors.get(head.id);
        return { ...head, samplesMs: [...(samples.get(head.id) ?? [])], ...(error === undefined ? {} : { error }) };
      });
    say("measuring memory");
    const memory = [
      ...baselines.memory,
      ...(await engineMemory({ ...engines, strategy: settings.strategy, model: files[0] ?? "", files: engineFiles, folder, signal })),
    ];
    await python?.unload();
    const { distinctFiles } = init;
    return {
      point: {
        clients: files.length,
        params: floatElements(tensors),
        tensors: tensors.length,
        updateBytes,
        distinctFiles,
        figures,
        memory,
      },
      devices: Object.fromEntries(engines.cases.map(({ name, device }) => [name, device])),
      notes,
    };
  } finally {
    await Promise.all(opened.map((each) => each.close()));
  }
}

interface Inputs {
  readonly updateBytes: number;
  readonly sample: readonly SampledElement[];
  readonly inputs: readonly (readonly number[])[];
}

async function loadBaselines(
  { settings, tensors, files, folder, python, signal, say }: MeasurePointInit,
  { updateBytes, sample, inputs }: Inputs,
): Promise<Baselines> {
  const none = { contestants: [], memory: [], errors: new Map<string, Figure["error"]>() };
  if (python === undefined || settings.baselines.length === 0) return { ...none, notes: [] };
  const clients = files.length;
  // The engine's memory comes on top, and is as large when the updates lie in it.
  const freeBytes = process.availableMemory() - 2.2 * clients * updateBytes;
  if (freeBytes < 0) return { ...none, notes: ["Baselines were left out: this machine has no memory for the updates."] };
  say("loading updates into Python and trying each baseline");
  await python.load(files, weightsOf(clients));
  const cut = cutOf(strategyRow(settings.strategy, clients).strategy, clients);
  return openBaselines({
    python,
    forms: settings.baselines,
    threads: settings.threads,
    cut,
    clients,
    updateBytes,
    params: floatElements(tensors),
    folder,
    sample,
    inputs,
    freeBytes,
    signal,
  });
}

/** The kernels alone compute what the WebAssembly engine does, so its errors are theirs. */
function kernelErrors({ cases, errors }: OpenEngines): readonly (readonly [string, Figure["error"]])[] {
  return cases
    .filter(({ name }) => name.startsWith("cpu-wasm"))
    .flatMap(({ mode, threads, id }) =>
      ["mean", "chunks", "chunks-side-by-side"].map((kernel) => [`kernels/${kernel}/${mode}/t${threads}`, errors.get(id)] as const),
    );
}
