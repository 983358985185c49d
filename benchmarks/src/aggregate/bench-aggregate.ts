import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { optionLines, parseOptions } from "../command-line/parse-options.ts";
import { readEnvironment } from "../environment.ts";
import { resultPage } from "../report/result-page.ts";
import { type BenchResult, resultSchemaName, resultVersion } from "../result/result.ts";
import { resultTable } from "../result/result-table.ts";
import { aggregateOptions } from "./aggregate-options.ts";
import { type AggregateSettings, aggregateSettings } from "./aggregate-settings.ts";
import { measureAll } from "./measure-all.ts";
import { withTemporaryFolder } from "./temporary-folder.ts";

/** How `bench -- aggregate` is called. */
export const aggregateUsage = `usage: npm run bench -- aggregate [options]

Measures aggregation: the engines of FLARE-TS in every mode, what the machine's memory can give, and what people do in NumPy and
PyTorch, in turns on the same data. Prints a table, keeps all samples in a file, and draws a page with plots.

${optionLines(aggregateOptions)}
`;

/** Measures, prints a table, and writes the figures. @throws `cli/invalid-arguments`, `file/…` */
export async function benchAggregate(args: readonly string[]): Promise<void> {
  const given = parseOptions(aggregateOptions, args);
  if (given.has("help")) {
    process.stdout.write(aggregateUsage);
    return;
  }
  const settings = aggregateSettings(given);
  const environment = readEnvironment();
  const start = performance.now();
  const say = (line: string): void => {
    process.stderr.write(`${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s  ${line}\n`);
  };
  const measured = await withTemporaryFolder(settings.folder, (folder, signal) =>
    measureAll({ settings, folder, signal, say, cores: availableParallelism() }),
  );
  const result: BenchResult = {
    schema: resultSchemaName,
    version: resultVersion,
    environment,
    commandLine: `npm run bench -- aggregate ${args.join(" ")}`.trim(),
    settings: {
      layout: settings.layout,
      dtype: settings.dtype,
      compression: settings.compression,
      strategy: settings.strategy.name,
      strategyOptions: settings.strategy.options,
      runs: settings.runs,
    },
    ...measured,
  };
  process.stdout.write(resultTable(result));
  const out = outPath(settings, environment.date);
  await write(out, `${JSON.stringify(result, undefined, 2)}\n`);
  process.stdout.write(`\nFigures: ${out}\n`);
  if (settings.html !== undefined) {
    await write(settings.html, resultPage(result));
    process.stdout.write(`Page: ${settings.html}\n`);
  }
}

function outPath({ out, isPublished }: AggregateSettings, date: string): string {
  const results = join(import.meta.dirname, "..", "..", "results");
  if (isPublished) return join(results, "aggregate.json");
  return out ?? join(results, "local", `aggregate-${date.replaceAll(":", "-").replace(/\..*/, "")}.json`);
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
