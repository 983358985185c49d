import { dtypeBytes, engineNames, maxThreads, type SumMode, strategyNames } from "@flare-ts/aggregator";
import { nearestWord } from "@flare-ts/contracts/errors";
import { type EngineName, engineRows, sumModes } from "../aggregate/engine/engines.ts";
import { type FloatDtype, floatDtypes } from "../aggregate/layouts/float-dtype.ts";
import { isScalable, type LayoutName, layoutNames, ownDtype } from "../aggregate/layouts/layouts.ts";
import { type ChosenStrategy, parseStrategy } from "../aggregate/strategies.ts";
import { givenPath } from "../command-line/given-path.ts";
import { invalidArguments } from "../command-line/invalid-arguments.ts";
import type { GivenOptions, OptionTable } from "../command-line/parse-options.ts";
import { byteSize, oneOf, sizeOf, wholeNumber } from "../command-line/parse-values.ts";

const models = layoutNames.filter((name) => !isScalable(name));

/** Options of `bench -- memory`. */
export const memoryOptions = {
  updates: { value: "<count>", about: "updates that are aggregated [32]" },
  model: {
    value: "<size>",
    about: `size of the model, such as 2GB, which has 160 tensors of float32 [2GB]; or a model:\n${models.join(", ")}`,
  },
  limit: { value: "<size>", about: "memory that the process and all that it starts may take [512MB]" },
  engine: { value: "<name>", about: `[auto]: ${engineNames.join(", ")}` },
  mode: { value: "<name>", about: `how it sums [exact]: ${sumModes.join(", ")}` },
  strategy: { value: "<name>", about: `how updates become a model [fed-avg]: ${strategyNames.join(", ")}` },
  "strategy-option": { value: "<name>=<value>", about: "an option of the strategy; may be given several times" },
  threads: { value: "<count>", about: `threads, 1 to ${maxThreads} [2]` },
  folder: { value: "<folder>", about: "where updates are kept while it runs [the system's folder for temporary files]" },
  help: { about: "prints this" },
} as const satisfies OptionTable<string>;

/** What a run of `bench -- memory` does. */
export interface MemorySettings {
  readonly updates: number;
  readonly layout: LayoutName;
  readonly dtype: FloatDtype;
  /** For the layout 160. */
  readonly params: number;
  readonly limitBytes: number;
  readonly engine: EngineName;
  readonly mode: SumMode;
  readonly strategy: ChosenStrategy;
  readonly threads: number;
  readonly folder: string | undefined;
}

/** What a command line asks for, with defaults. @throws `cli/invalid-arguments` */
export function memorySettings(given: GivenOptions<keyof typeof memoryOptions>): MemorySettings {
  const [word] = given.words;
  if (word !== undefined) throw invalidArguments(`memory takes options only, not '${word}'.`);
  const engine = oneOf("--engine", given.last("engine") ?? "auto", engineNames);
  return {
    updates: wholeNumber("--updates", given.last("updates") ?? "32"),
    ...modelOf(given.last("model") ?? "2GB"),
    limitBytes: byteSize("--limit", given.last("limit") ?? "512MB"),
    engine,
    mode: modeOf(engine, given.last("mode") ?? "exact"),
    strategy: parseStrategy(given.last("strategy") ?? "fed-avg", given.all("strategy-option")),
    threads: wholeNumber("--threads", given.last("threads") ?? "2", { most: maxThreads }),
    folder: givenPath(given.last("folder")),
  };
}

function modelOf(text: string): Pick<MemorySettings, "layout" | "dtype" | "params"> {
  const bytes = sizeOf(text);
  if (bytes !== undefined) {
    const params = Math.floor(bytes / dtypeBytes[floatDtypes.float32]);
    if (params < 160) throw invalidArguments(`--model takes a size of at least ${160 * dtypeBytes.F32} bytes, not '${text}'.`);
    return { layout: "160", dtype: "float32", params };
  }
  const layout = models.find((name) => name === text);
  if (layout !== undefined) return { layout, dtype: ownDtype(layout), params: 0 };
  const near = nearestWord(text, models);
  throw invalidArguments(
    `--model takes a size such as 2GB, or one of ${models.join(", ")}, not '${text}'.${near === undefined ? "" : ` Did you mean '${near}'?`}`,
  );
}

function modeOf(engine: EngineName, text: string): SumMode {
  const mode = oneOf("--mode", text, sumModes);
  if (!engineRows[engine].modes.includes(mode))
    throw invalidArguments(`Engine ${engine} sums in mode ${engineRows[engine].modes.join(", ")}, not in ${mode}.`);
  return mode;
}
