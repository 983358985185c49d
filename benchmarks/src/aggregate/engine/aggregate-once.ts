// A process of its own for measuring memory: takes one JSON object (`OnceRequest`) on stdin, aggregates once, and prints one (`OnceAnswer`).
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { type ChosenStrategy, strategyRow } from "../strategies.ts";
import { type EngineSettings, openMeasuredEngine } from "./measure-engine.ts";

/** What is to be aggregated, and how. */
export interface OnceRequest extends Omit<EngineSettings, "strategy"> {
  readonly strategy: ChosenStrategy;
  readonly model: string;
  readonly files: readonly string[];
  readonly outPath: string;
}

/** What it took. */
export interface OnceAnswer {
  readonly engine: string;
  readonly device: string;
  readonly sha256: string;
  readonly seconds: number;
  readonly kernelBytes: number | null;
  /** Resident memory before the engine was started; `null` where the system does not tell. */
  readonly idleBytes: number | null;
  /** The most since then. */
  readonly peakBytes: number | null;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const request = JSON.parse(await text(process.stdin)) as OnceRequest;
  process.stdout.write(JSON.stringify(await aggregateOnce(request)));
}

async function aggregateOnce({ model, files, outPath, strategy, ...settings }: OnceRequest): Promise<OnceAnswer> {
  const idleBytes = resetPeak() ? statusBytes("VmRSS") : null;
  const engine = await openMeasuredEngine({ ...settings, strategy: strategyRow(strategy, files.length).strategy });
  try {
    const { addMs, finishMs, sha256 } = await engine.aggregate({ model, files, isHashed: true }, outPath);
    return {
      engine: engine.name,
      device: engine.device,
      sha256,
      seconds: (addMs + finishMs) / 1000,
      kernelBytes: engine.kernelBytes() ?? null,
      idleBytes,
      peakBytes: idleBytes === null ? null : statusBytes("VmHWM"),
    };
  } finally {
    await engine.close();
  }
}

/** Makes the peak begin anew, which Linux alone can; says whether it did. */
function resetPeak(): boolean {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
    return true;
  } catch {
    return false;
  }
}

function statusBytes(field: "VmRSS" | "VmHWM"): number {
  const [, kibibytes = ""] = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kibibytes) * 1024;
}
