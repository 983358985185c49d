import { join } from "node:path";
import type { MemoryFigure } from "../../result/result.ts";
import type { ChosenStrategy } from "../strategies.ts";
import type { EngineCase } from "./engine-contestants.ts";
import { runOnce } from "./run-once.ts";

export interface EngineMemoryInit {
  readonly cases: readonly EngineCase[];
  readonly strategy: ChosenStrategy;
  readonly model: string;
  readonly files: readonly string[];
  readonly folder: string;
  readonly signal: AbortSignal;
}

/**
 * Memory of a whole session over files, each in a fresh process: what it takes above a process that has loaded the engine's code.
 * The result must have the same bytes as in this process.
 *
 * @throws Error when a process fails or its result differs
 */
export async function engineMemory({ cases, strategy, model, files, folder, signal }: EngineMemoryInit): Promise<readonly MemoryFigure[]> {
  const figures: MemoryFigure[] = [];
  for (const { engine, mode, threads, name, id, sha256 } of cases) {
    const outPath = join(folder, "once.safetensors");
    const request = { engine, mode, threads, strategy, model, files, outPath };
    const { answer, stderr } = await runOnce(request, { signal });
    if (answer === undefined) throw new Error(`${name} failed in a process of its own: ${stderr}`);
    if (answer.sha256 !== sha256) throw new Error(`${name} gave ${answer.sha256} in a process of its own, and ${sha256} before.`);
    const { kernelBytes, idleBytes, peakBytes } = answer;
    const addedBytes = idleBytes === null || peakBytes === null ? null : Math.max(0, peakBytes - idleBytes);
    figures.push({ id, group: "engine", what: `${name}, threads: ${threads}`, kernelBytes, addedBytes });
  }
  return figures;
}
