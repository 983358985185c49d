import { randomBytes } from "node:crypto";
import { join } from "node:path";
import process from "node:process";
import { filterUpdate, type UpdateFilter } from "@flare-ts/aggregator";
import { tensorBytes } from "../aggregate/layouts/float-dtype.ts";
import { layoutTensors } from "../aggregate/layouts/layouts.ts";
import { withTemporaryFolder } from "../aggregate/temporary-folder.ts";
import { writeUpdates } from "../aggregate/updates/write-updates.ts";
import { invalidArguments } from "../command-line/invalid-arguments.ts";
import { type OptionTable, optionLines, parseOptions } from "../command-line/parse-options.ts";
import { wholeNumber } from "../command-line/parse-values.ts";
import { megabytes } from "../result/number-text.ts";
import { textColumns } from "../result/text-columns.ts";
import { secondsText, summarize } from "../statistics.ts";

const options = {
  params: { value: "<count>", about: "float32 parameters of the update, in 160 tensors [25e6]" },
  runs: { value: "<count>", about: "runs of each, in turns [5]" },
  help: { about: "prints this" },
} as const satisfies OptionTable<string>;

const usage = `usage: npm run bench -- filters [options]

Seconds that each filter of a site's privacy policy takes for one update, a whole model, from a file to a file.

${optionLines(options)}
`;

const filters: Readonly<Record<string, UpdateFilter>> = {
  ExcludeVars: { kind: "exclude", isExcluded: () => false },
  ClipNorm: { kind: "clip-norm", maxNorm: 1 },
  PercentilePrivacy: { kind: "percentile", percentile: 10, gamma: 0.01 },
  GaussianPrivacy: { kind: "gaussian", clipNorm: 1, noiseMultiplier: 1, randomBytes },
  SVTPrivacy: { kind: "svt", fraction: 0.1, epsilon: 0.1, noiseVar: 0.1, gamma: 1e-5, tau: 1e-6, replace: true, randomBytes },
};

/** Measures the filters and prints a table. @throws `cli/invalid-arguments`, `file/…` */
export async function benchFilters(args: readonly string[]): Promise<void> {
  const given = parseOptions(options, args);
  if (given.has("help")) {
    process.stdout.write(usage);
    return;
  }
  if (given.words[0] !== undefined) throw invalidArguments(`filters takes options only, not '${given.words[0]}'.`);
  const params = wholeNumber("--params", given.last("params") ?? "25e6");
  const runs = wholeNumber("--runs", given.last("runs") ?? "5");
  const tensors = layoutTensors("160", "float32", params);
  const seconds = new Map(Object.keys(filters).map((name) => [name, [] as number[]]));
  await withTemporaryFolder(undefined, async (folder, signal) => {
    const [base = "", source = ""] = await writeUpdates({ folder, tensors, dtype: "float32", count: 2, distinct: 2, signal });
    for (let run = 0; run < runs; run++) {
      for (const [name, filter] of Object.entries(filters)) {
        const begun = performance.now();
        const outPath = join(folder, "out.safetensors");
        await filterUpdate({ source, base, paramsType: "FULL", outPath, filters: [filter], isDurable: false, signal });
        seconds.get(name)?.push((performance.now() - begun) / 1000);
      }
    }
  });
  const rows = [...seconds].map(([name, measured]) => [name, secondsText(summarize(measured))]);
  process.stdout.write(`${textColumns([["", `an update of ${megabytes(tensorBytes(tensors))} MB`], ...rows]).join("\n")}\n`);
  process.stdout.write("Medians (smallest–largest, number).\n");
}
