import { join } from "node:path";
import type { Strategy, SumMode } from "@flare-ts/aggregator";
import { FlareError } from "@flare-ts/contracts/errors";
import type { Figure } from "../../result/result.ts";
import type { Contestant, FigureHead } from "../contestant.ts";
import type { ExactRule } from "../exact/exact-value.ts";
import { largestError } from "../exact/largest-error.ts";
import { readElements, type SampledElement } from "../exact/sample-elements.ts";
import { weightsOf } from "../updates/weights.ts";
import { type EngineName, engineRows } from "./engines.ts";
import { type MeasuredEngine, openMeasuredEngine } from "./measure-engine.ts";

export interface EnginesInit {
  readonly engines: readonly EngineName[];
  /** Whether engines that do not run here are left out instead of refused. */
  readonly isAnyEngine: boolean;
  readonly modes: readonly SumMode[];
  readonly threads: readonly number[];
  readonly strategy: Strategy;
  /** File that says which tensors there are. */
  readonly model: string;
  readonly files: readonly string[];
  readonly updateBytes: number;
  readonly folder: string;
  readonly sample: readonly SampledElement[];
  readonly inputs: readonly (readonly number[])[];
  readonly exact: ExactRule | undefined;
  /** What whole sessions are held against. */
  readonly against: FigureHead["against"];
  readonly signal: AbortSignal;
}

/** One engine as it is measured. */
export interface EngineCase {
  readonly engine: EngineName;
  readonly mode: SumMode;
  readonly threads: number;
  /** As it stands in reports. */
  readonly name: string;
  readonly device: string;
  /** Of the figure for whole sessions. */
  readonly id: string;
  /** Of the result, in lower-case hexadecimal. */
  readonly sha256: string;
}

export interface OpenEngines {
  readonly cases: readonly EngineCase[];
  readonly contestants: readonly Contestant[];
  /** By the ids of the figures for whole sessions. */
  readonly errors: ReadonlyMap<string, Figure["error"]>;
  /** What was left out, and why. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}

/**
 * Starts each engine in each of its modes with each number of threads, runs it once for its error, and makes contestants of whole
 * sessions over files. Two names for the same engine give one.
 *
 * @throws `aggregate/engine-unavailable` unless `isAnyEngine`
 */
export async function openEngines(init: EnginesInit): Promise<OpenEngines> {
  const open: MeasuredEngine[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(open.map((engine) => engine.close()));
  };
  const cases: EngineCase[] = [];
  const contestants: Contestant[] = [];
  const errors = new Map<string, Figure["error"]>();
  const notes = new Set<string>();
  try {
    for (const { engine, mode, threads } of combinations(init)) {
      init.signal.throwIfAborted();
      let measured: MeasuredEngine;
      try {
        measured = await openMeasuredEngine({ engine, mode, threads, strategy: init.strategy });
      } catch (cause) {
        if (!init.isAnyEngine || !(cause instanceof FlareError) || cause.code !== "aggregate/engine-unavailable") throw cause;
        notes.add(`Engine ${engine} was left out: ${cause.message}`);
        continue;
      }
      open.push(measured);
      const base = `engine/${measured.name}/${init.strategy.name}/t${threads}`;
      const id = `${base}/all`;
      if (cases.some((other) => other.id === id)) continue;
      const outPath = join(init.folder, "out.safetensors");
      const { sha256 } = await measured.aggregate({ ...init, isHashed: true }, outPath);
      cases.push({ engine, mode, threads, name: measured.name, device: measured.device, id, sha256 });
      if (init.exact !== undefined) {
        errors.set(id, largestError(await readElements(outPath, init.sample), init.inputs, weightsOf(init.files.length), init.exact));
      }
      const head = {
        group: "engine",
        source: "files",
        threads,
        bytes: init.files.length * init.updateBytes,
        engine: measured.name,
        mode,
        strategy: init.strategy.name,
      } as const;
      contestants.push({
        figures: [
          { ...head, id: `${base}/add`, what: "add: read headers", against: {} },
          { ...head, id: `${base}/finish`, what: "finish: read, check, combine, write", against: {} },
          { ...head, id, what: "whole session over files, into an old one", against: init.against },
        ],
        run: async () => {
          const { addMs, finishMs } = await measured.aggregate(init, outPath);
          return [addMs, finishMs, addMs + finishMs];
        },
      });
    }
    return { cases, contestants, errors, notes: [...notes], close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

/** Every engine with the modes and numbers of threads that make a difference to it. */
export function combinations({ engines, modes, threads }: Pick<EnginesInit, "engines" | "modes" | "threads">): readonly {
  readonly engine: EngineName;
  readonly mode: SumMode;
  readonly threads: number;
}[] {
  return engines.flatMap((engine) => {
    const row = engineRows[engine];
    return modes
      .filter((mode) => row.modes.includes(mode))
      .flatMap((mode) => (row.hasThreads ? threads : [1]).map((count) => ({ engine, mode, threads: count })));
  });
}
