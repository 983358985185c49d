import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SumMode } from "@flare-ts/aggregator";
import { readEnvironment } from "../environment.ts";
import { type Summary, summarize } from "../statistics.ts";
import { type LayoutName, layoutNames, layoutTensors } from "./layouts.ts";
import { measureFiles, measureReading } from "./measure-files.ts";
import { measureNumpy } from "./measure-numpy.ts";
import { measureResident, measureStreaming } from "./measure-resident.ts";
import { writeUpdates } from "./write-updates.ts";

/** As typed. */
export interface AggregateBenchOptions {
  readonly clients: string;
  readonly params: string;
  readonly layout: string;
  readonly mode: string;
  readonly threads: string;
  readonly runs: string;
}

/** How the benchmark is called. */
export const aggregateUsage = `aggregate [--clients 8] [--params 25000000] [--layout 160|flat|resnet50] [--mode all|exact|fast|float64] [--threads 1,2] [--runs 5]

           GB/s of input of a weighted mean, against the bandwidth that the machine has and, where python3 and NumPy are there,
           against np.add(acc, w * x, out=acc) on the same data in the same run. Keeps the figures in
           benchmarks/results/aggregate.json. Updates are kept in a temporary folder: clients times parameters times 4 bytes.`;

const modeNames: readonly SumMode[] = ["fast", "exact", "float64"];

interface Row {
  readonly what: string;
  readonly threads: string;
  readonly ms: Summary;
  /** Median of what the figure is held against, in milliseconds, and how that is called. */
  readonly against?: { readonly name: string; readonly ms: number } | undefined;
}

/** Measures and prints a table; medians, with the ratio of medians of one run. */
export async function benchAggregate(options: AggregateBenchOptions): Promise<void> {
  const clients = wholeNumber("--clients", options.clients);
  const runs = wholeNumber("--runs", options.runs);
  const threadCounts = options.threads.split(",").map((each) => wholeNumber("--threads", each));
  const layout = oneOf<LayoutName>("--layout", options.layout, layoutNames);
  const modes = options.mode === "all" ? modeNames : [oneOf<SumMode>("--mode", options.mode, modeNames)];
  const tensors = layoutTensors(layout, wholeNumber("--params", options.params));
  const environment = readEnvironment();
  const folder = await mkdtemp(join(tmpdir(), "flare-bench-"));
  try {
    const files = await writeUpdates(folder, tensors, clients);
    const bytes = clients * (await stat(files[0] ?? "")).size;
    const reading = await measureReading(files, runs);
    const numpy = await measureNumpy(files, runs);
    const rows: Row[] = [{ what: "files: only reading", threads: "-", ms: reading }];
    const numpySummary = numpy === undefined ? undefined : summarize(numpy.times);
    if (numpy !== undefined && numpySummary !== undefined) {
      rows.push({ what: `NumPy ${numpy.version}: np.add(acc, w * x, out=acc)`, threads: "1", ms: numpySummary });
    }
    const againstNumpy = numpySummary === undefined ? undefined : { name: "NumPy", ms: numpySummary.median };
    const kernelMiB: number[] = [];
    const streaming = await measureStreaming(
      files,
      modes.flatMap((mode) => (mode === "float64" ? [] : [mode])),
      runs,
    );
    for (const [mode, ms] of Object.entries(streaming)) rows.push({ what: `chunks of 1 MiB: copy, check, add, ${mode}`, threads: "1", ms });
    for (const count of threadCounts) {
      const threads = String(count);
      const { read, triad, check, fold } = await measureResident({ files, modes, threads: count, runs });
      const againstRead = { name: "read", ms: read.median };
      rows.push({ what: "memory: read", threads, ms: read }, { what: "memory: triad", threads, ms: triad });
      rows.push({ what: "resident: check and norms", threads, ms: check, against: againstRead });
      for (const [mode, ms] of Object.entries(fold)) {
        rows.push({ what: `resident: weighted mean, ${mode}`, threads, ms, against: againstNumpy ?? againstRead });
        if (againstNumpy !== undefined) rows.push({ what: `resident: weighted mean, ${mode}`, threads, ms, against: againstRead });
      }
      for (const mode of modes) {
        const figures = await measureFiles(files, folder, { mode, threads: count, runs });
        const against = { name: "reading files", ms: reading.median };
        rows.push({ what: `files: add (read, check), ${mode}`, threads, ms: figures.add, against });
        rows.push({ what: `files: finish (read, fold, hash, write), ${mode}`, threads, ms: figures.finish, against });
        kernelMiB.push(figures.kernelMiB);
      }
    }
    process.stdout.write(
      `${clients} updates, ${layout}, ${tensors.length} tensors, ${(bytes / 1e6).toFixed(0)} MB; ${environment.cpu}, ${environment.cores} cores, Node ${environment.node}\n\n`,
    );
    printTable(rows, bytes);
    process.stdout.write(
      `\nGB/s are bytes of all updates once. Memory of the kernels with files: ${Math.max(...kernelMiB).toFixed(0)} MiB.\n`,
    );
    const results = join(import.meta.dirname, "..", "..", "results");
    mkdirSync(results, { recursive: true });
    const result = { benchmark: "aggregate", environment, clients, layout, bytes, runs, rows, kernelMiB, numpy: numpy?.version ?? null };
    writeFileSync(join(results, "aggregate.json"), `${JSON.stringify(result, undefined, 2)}\n`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function printTable(rows: readonly Row[], bytes: number): void {
  const cells = [
    ["", "threads", "ms (smallest–largest)", "GB/s", "ratio"],
    ...rows.map(({ what, threads, ms, against }) => [
      what,
      threads,
      `${ms.median.toFixed(0)} (${ms.min.toFixed(0)}–${ms.max.toFixed(0)})`,
      (bytes / 1e6 / ms.median).toFixed(1),
      against === undefined ? "" : `${(against.ms / ms.median).toFixed(2)} x ${against.name}`,
    ]),
  ];
  const widths = [0, 1, 2, 3, 4].map((i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  for (const row of cells)
    process.stdout.write(
      `${row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd()}\n`,
    );
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${option} takes whole numbers above 0, not '${text}'`);
  return value;
}

function oneOf<Name extends string>(option: string, text: string, names: readonly Name[]): Name {
  const name = names.find((each) => each === text);
  if (name === undefined) throw new RangeError(`${option} is one of ${names.join(", ")}, not '${text}'`);
  return name;
}
