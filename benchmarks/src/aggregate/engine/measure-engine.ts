import { rename } from "node:fs/promises";
import { createEngine, type Strategy, type SumMode, WasmEngine } from "@flare-ts/aggregator";
import { weightOf } from "../updates/weights.ts";
import type { EngineName } from "./engines.ts";

/** What is to be measured. */
export interface EngineSettings {
  readonly engine: EngineName;
  readonly mode: SumMode;
  readonly strategy: Strategy;
  readonly threads: number;
}

/** One aggregation over files. */
export interface EngineRun {
  /** For adding all updates: their headers are read. */
  readonly addMs: number;
  /** For making the result out of the files, read once; without fsync. */
  readonly finishMs: number;
  /** Empty where it was not asked for. */
  readonly sha256: string;
}

/** What an engine aggregates. */
export interface MeasuredUpdates {
  readonly model: string;
  readonly files: readonly string[];
  /** Whether the result is hashed in the same run; a server hashes it elsewhere. @default false */
  readonly isHashed?: boolean;
}

/** An engine that is ready to run, again and again. */
export interface MeasuredEngine {
  /** As it stands in reports, such as `cpu-wasm-exact`. */
  readonly name: string;
  /** What it computes on, in words. */
  readonly device: string;
  /** Memory of its kernels so far; `undefined` for an engine that has none. */
  kernelBytes(): number | undefined;
  /** Aggregates files into a file, written over the result of the run before: a server does so in each round, with what nobody needs any more. */
  aggregate(updates: MeasuredUpdates, outPath: string): Promise<EngineRun>;
  close(): Promise<void>;
}

/** Starts an engine; all that the benchmark knows of engines over files is here. @throws `aggregate/engine-unavailable` */
export async function openMeasuredEngine({ engine: name, mode, strategy, threads }: EngineSettings): Promise<MeasuredEngine> {
  const { engine, device } = await createEngine({ nowMs: () => performance.now() }, { engine: name, mode, threads });
  return {
    name: engine.name,
    device,
    kernelBytes: () => (engine instanceof WasmEngine ? engine.kernelBytes : undefined),
    aggregate: async ({ model, files, isHashed = false }, outPath) => {
      const session = await engine.open({ model, strategy, paramsType: "FULL", check: "finish" });
      try {
        const start = performance.now();
        for (const [i, source] of files.entries()) {
          // Names in the order of the files, which some modes take updates in.
          const contributor = `site-${String(i).padStart(4, "0")}`;
          await session.add({ contributor, weight: weightOf(i), source, paramsType: "FULL" });
        }
        const added = performance.now();
        await rename(outPath, `${outPath}.part`).catch(() => undefined); // There is none in the first run.
        const { sha256 } = await session.finish({ outPath, base: model, state: { to: `${outPath}.state` }, isDurable: false, isHashed });
        return { addMs: added - start, finishMs: performance.now() - added, sha256 };
      } finally {
        await session.discard();
      }
    },
    close: () => engine.close(),
  };
}
