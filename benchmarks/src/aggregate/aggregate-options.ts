import { compressionForms, engineNames, maxThreads, strategyNames } from "@flare-ts/aggregator";
import type { OptionTable } from "../command-line/parse-options.ts";
import { baselineNames } from "./baselines/forms.ts";
import { sumModes } from "./engine/engines.ts";
import { floatDtypeNames } from "./layouts/float-dtype.ts";
import { layoutNames } from "./layouts/layouts.ts";

/** Forms of `--compression`. */
export const compressionNames = ["none", ...compressionForms] as const;

/** What a run has that is not asked for otherwise; the second is with --quick. */
export const aggregateDefaults = {
  clients: [8, 4],
  params: [25_000_000, 1_000_000],
  runs: [5, 3],
  layout: "160",
  compression: "none",
  threads: "1,2",
  engine: "auto",
  mode: "all",
  strategy: "fed-avg",
  baselines: "auto",
} as const;

const { clients, params, runs, layout, compression, threads, engine, mode, strategy, baselines } = aggregateDefaults;

/** Options of `bench -- aggregate`. */
export const aggregateOptions = {
  clients: { value: "<count>", about: `updates [${clients[0]}; quick: ${clients[1]}]` },
  params: {
    value: "<count>",
    about: `parameters of the layouts flat and 160 [${params[0] / 1e6} million; quick: ${params[1] / 1e6} million]`,
  },
  layout: { value: "<name>", about: `names and shapes of tensors [${layout}]:\n${layoutNames.join(", ")}` },
  dtype: { value: "<type>", about: `element type of the updates [the model's own]: ${floatDtypeNames.join(", ")}` },
  compression: {
    value: "<form>",
    about: `what engines get the updates compressed to, while GB/s count them as they were [${compression}]: ${compressionNames.join(", ")}`,
  },
  engine: { value: "<names>", about: `engines, with commas between them, or all [${engine}]: ${engineNames.join(", ")}` },
  mode: { value: "<names>", about: `how they sum, with commas between them, or all [${mode}]: ${sumModes.join(", ")}` },
  strategy: { value: "<name>", about: `how updates become a model [${strategy}]: ${strategyNames.join(", ")}` },
  "strategy-option": { value: "<name>=<value>", about: "an option of the strategy; may be given several times" },
  threads: { value: "<counts>", about: `numbers of threads, 1 to ${maxThreads}, with commas between them [${threads}]` },
  runs: { value: "<count>", about: `runs of everything after one to warm up [${runs[0]}; quick: ${runs[1]}]` },
  sweep: {
    value: "<what>=<list>",
    about: "measures at several sizes too, for the plots: clients=2,4,8,16,32 or params=1e5,1e6,1e7;\nmay be given once for each",
  },
  baselines: {
    value: "<names>",
    about: `what is measured in Python [${baselines}: what does the same as the strategy], none, all, or\n${baselineNames.join(", ")}`,
  },
  python: {
    value: "<command>",
    about: "the Python for the baselines [the first of python3 and /usr/bin/python3 that has NumPy and PyTorch]",
  },
  folder: { value: "<folder>", about: "where updates are kept while it runs [the system's folder for temporary files]" },
  out: { value: "<file.json>", about: "where the figures go [a new file in benchmarks/results/local/]" },
  publish: { about: "writes benchmarks/results/aggregate.json instead, which is committed" },
  html: { value: "<file.html>", about: "writes a page with plots too" },
  quick: { about: "small sizes, for a look that takes seconds" },
  help: { about: "prints this" },
} as const satisfies OptionTable<string>;

/** Names of the options. */
export type AggregateOption = keyof typeof aggregateOptions;
