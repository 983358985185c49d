import { randomBytes } from "node:crypto";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import process from "node:process";
import {
  type AggregationReport,
  type CreateEngineInit,
  createEngine,
  createStrategy,
  type FinishInit,
  maxThreads,
  type ParamsType,
  readSafetensorsHeader,
  type Strategy,
  type Workload,
} from "@flare-ts/aggregator";
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
  readonly strategy: string;
  /** As typed: `key=value` each. */
  readonly strategyOptions: readonly string[];
  readonly paramsType: ParamsType;
  readonly base: string | undefined;
  /** As typed: numbers with commas between them. */
  readonly staleness: string | undefined;
  readonly stateFrom: string | undefined;
  readonly stateTo: string | undefined;
  readonly mode: CreateEngineInit["mode"];
  readonly engine: CreateEngineInit["engine"];
  /** As typed. */
  readonly threads: string | undefined;
}

/** Combines safetensors files into a new one and says who went in with what, and what computed. */
export async function aggregateFiles(context: CommandContext, options: AggregateOptions): Promise<CommandOutput> {
  const { terminal, signal, cwd } = context;
  const { files, output, paramsType } = options;
  const weights = parseNumbers(options.weights, files.length, "weights", (weight) => weight > 0);
  const staleness =
    options.staleness === undefined ? undefined : parseNumbers(options.staleness, files.length, "staleness", (age) => age >= 0);
  const threads = parseThreads(options.threads);
  const strategy = createStrategy(options.strategy, parseSettings(options.strategyOptions), { randomBytes });
  const base = options.base === undefined ? undefined : resolve(cwd, options.base);
  const model = base ?? resolve(cwd, files[0] ?? "");
  const chosen = await createEngine(
    { nowMs: () => performance.now() },
    {
      engine: options.engine,
      mode: options.mode,
      threads,
      workload: await workloadOf(model, files.length, strategy),
      trialsFile: trialsFile(),
    },
  );
  const { engine, reasons } = chosen;
  try {
    const session = await engine.open({ model, strategy, paramsType, check: "finish", signal });
    try {
      for (const [i, file] of files.entries()) {
        const update = { contributor: file, weight: weights[i] ?? 0, source: resolve(cwd, file), paramsType, staleness: staleness?.[i] };
        await session.add(update, signal);
      }
      const writing = transferProgress(terminal, "Aggregating");
      const report = await session.finish({
        outPath: resolve(cwd, output),
        base,
        state: stateOf(options, cwd),
        onProgress: (progress) => writing({ file: output, ...progress }),
        signal,
      });
      return {
        data: { output: resolve(cwd, output), device: report.device, reasons, report: plain(report) },
        text: [...reportLines(report, output), ...report.notes, ...reasons],
      };
    } finally {
      terminal.draw([]);
      await session.discard();
    }
  } finally {
    await engine.close();
  }
}

/** What `auto` decides by. A model that cannot be read is told when it is opened. */
async function workloadOf(model: string, updates: number, { combine, needs }: Strategy): Promise<Workload | undefined> {
  if (combine.kind === "custom") return undefined;
  try {
    const { tensors } = await readSafetensorsHeader(model);
    const elements = tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
    return { updates, elements, combine: needs.distances === true ? "distances" : combine.kind };
  } catch {
    return undefined;
  }
}

/** Where trials of engines are kept. */
function trialsFile(): string {
  const { XDG_CACHE_HOME: cache = "", HOME: home = homedir() } = process.env;
  return join(isAbsolute(cache) ? cache : join(home, ".cache"), "flare-ts", "engine-trials.json");
}

function stateOf({ stateFrom, stateTo }: AggregateOptions, cwd: string): FinishInit["state"] {
  if (stateTo === undefined) {
    if (stateFrom === undefined) return undefined;
    throw invalid("--state-from goes together with --state-to, where what the next round needs is kept.", stateFrom);
  }
  return { from: stateFrom === undefined ? undefined : resolve(cwd, stateFrom), to: resolve(cwd, stateTo) };
}

function parseSettings(options: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    options.map((option) => {
      const [, key, value] = /^([^=]+)=(.*)$/.exec(option) ?? [];
      if (key === undefined || value === undefined) throw invalid(`'${option}' is not a setting; it looks like fraction=0.2.`, option);
      return [key, value];
    }),
  );
}

function reportLines(report: AggregationReport, output: string): readonly string[] {
  const rows = report.contributors.map(({ contributor, weight, factor, norm, tensors, bytes }) => [
    contributor,
    factor === weight ? String(weight) : `${factor.toPrecision(6)} of ${weight}`,
    norm.toPrecision(6),
    String(tensors),
    bytesText(bytes),
  ]);
  const right = (title: string): { readonly title: string; readonly align: "right" } => ({ title, align: "right" });
  return [
    ...tableLines([{ title: "FILE" }, right("WEIGHT"), right("NORM"), right("TENSORS"), right("SIZE")], rows),
    ...report.partialTensors.map(({ tensor, contributors }) => `${tensor}: combined over the ${contributors} files that have it`),
    `${output}: ${bytesText(report.bytesOut)}, SHA-256 ${report.sha256}`,
    `${report.strategy} by ${report.engine} (${report.device}): ${durationText(report.seconds * 1000)}`,
  ];
}

/** The report as JSON takes it. */
function plain(report: AggregationReport): CommandOutput["data"] {
  return JSON.parse(JSON.stringify(report)) as CommandOutput["data"];
}

function parseNumbers(text: string, count: number, what: "weights" | "staleness", isFit: (value: number) => boolean): readonly number[] {
  const values = text.split(",").map((each) => (each.trim() === "" ? Number.NaN : Number(each)));
  if (values.length !== count) throw invalid(`${values.length} ${what} for ${count} files; give one number for each file.`, text);
  const wrong = values.findIndex((value) => !isFit(value) || !Number.isFinite(value));
  if (wrong < 0) return values;
  const given = text.split(",")[wrong] ?? "";
  throw invalid(
    what === "weights"
      ? `'${given}' is not a weight; it must be above 0, such as a number of samples.`
      : `'${given}' is not a staleness; it must be a number of rounds from 0 up.`,
    text,
  );
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
