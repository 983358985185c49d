import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { type AggregationReport, type CreateEngineInit, createEngine, fedAvg, maxThreads } from "@flare-ts/aggregator";
import { FlareError } from "@flare-ts/contracts";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { bytesText, durationText } from "../../terminal/quantities.js";
import { tableLines } from "../../terminal/table.js";
import { transferProgress } from "../../terminal/transfer-progress.js";

export interface AggregateOptions {
  readonly files: readonly string[];
  /** As typed: numbers with commas between them. */
  readonly weights: string;
  readonly output: string;
  readonly mode: CreateEngineInit["mode"];
  readonly engine: CreateEngineInit["engine"];
  /** As typed. */
  readonly threads: string | undefined;
}

/** Averages safetensors files into a new one and says who went in with what. */
export async function aggregateFiles(context: CommandContext, options: AggregateOptions): Promise<CommandOutput> {
  const { terminal, signal, cwd } = context;
  const { files, output } = options;
  const weights = parseWeights(options.weights, files.length);
  const threads = parseThreads(options.threads);
  const nowMs = (): number => performance.now();
  const { engine, device, reasons } = await createEngine({ nowMs }, { engine: options.engine, mode: options.mode, threads });
  try {
    const session = await engine.open({ model: resolve(cwd, files[0] ?? ""), strategy: fedAvg(), paramsType: "FULL", signal });
    try {
      const sizes = await Promise.all(files.map((file) => fileBytes(resolve(cwd, file))));
      const totalBytes = sizes.reduce((sum, bytes) => sum + bytes, 0);
      const checking = transferProgress(terminal, "Checking");
      let doneBytes = 0;
      for (const [i, file] of files.entries()) {
        checking({ file, doneBytes, totalBytes });
        await session.add({ contributor: file, weight: weights[i] ?? 0, source: resolve(cwd, file), paramsType: "FULL" }, signal);
        doneBytes += sizes[i] ?? 0;
      }
      const writing = transferProgress(terminal, "Writing");
      const report = await session.finish({
        outPath: resolve(cwd, output),
        onProgress: (progress) => writing({ file: output, ...progress }),
        signal,
      });
      return {
        data: { output: resolve(cwd, output), device, reasons, report: plain(report) },
        text: [...reportLines(report, output), ...reasons],
      };
    } finally {
      terminal.draw([]);
      await session.discard();
    }
  } finally {
    await engine.close();
  }
}

function reportLines(report: AggregationReport, output: string): readonly string[] {
  const rows = report.contributors.map(({ contributor, weight, norm, tensors, bytes }) => [
    contributor,
    String(weight),
    norm.toPrecision(6),
    String(tensors),
    bytesText(bytes),
  ]);
  const right = (title: string): { readonly title: string; readonly align: "right" } => ({ title, align: "right" });
  return [
    ...tableLines([{ title: "FILE" }, right("WEIGHT"), right("NORM"), right("TENSORS"), right("SIZE")], rows),
    ...report.partialTensors.map(({ tensor, contributors }) => `${tensor}: averaged over the ${contributors} files that have it`),
    `${output}: ${bytesText(report.bytesOut)}, SHA-256 ${report.sha256}`,
    `${report.engine} (${report.device}): ${durationText(report.seconds * 1000)}`,
  ];
}

/** The report as JSON takes it. */
function plain(report: AggregationReport): CommandOutput["data"] {
  return JSON.parse(JSON.stringify(report)) as CommandOutput["data"];
}

function parseWeights(text: string, count: number): readonly number[] {
  const weights = text.split(",").map((each) => (each.trim() === "" ? Number.NaN : Number(each)));
  if (weights.length !== count)
    throw invalid(`${weights.length} weights for ${count} files; give one number of samples for each file.`, text);
  const wrong = weights.findIndex((weight) => !(weight > 0) || !Number.isFinite(weight));
  if (wrong >= 0)
    throw invalid(`'${text.split(",")[wrong] ?? ""}' is not a weight; it must be above 0, such as a number of samples.`, text);
  return weights;
}

function parseThreads(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const threads = Number(text);
  if (!/^\d+$/.test(text) || threads < 1 || threads > maxThreads)
    throw invalid(`'${text}' is not a number of threads from 1 to ${maxThreads}.`, text);
  return threads;
}

function invalid(message: string, given: string): FlareError {
  return new FlareError("cli/invalid-arguments", message, { facts: { given } });
}

/** Size for the progress alone: what cannot be read is told when it is added. */
async function fileBytes(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
