import { engineNames, maxThreads, type SumMode } from "@flare-ts/aggregator";
import { givenPath } from "../command-line/given-path.ts";
import { invalidArguments } from "../command-line/invalid-arguments.ts";
import type { GivenOptions } from "../command-line/parse-options.ts";
import { listOf, oneOf, wholeNumber } from "../command-line/parse-values.ts";
import { type AggregateOption, aggregateDefaults, compressionNames } from "./aggregate-options.ts";
import { type BaselineName, baselineNames } from "./baselines/forms.ts";
import { combinations } from "./engine/engine-contestants.ts";
import { type EngineName, engineRows, sumModes } from "./engine/engines.ts";
import { type FloatDtype, floatDtypeNames } from "./layouts/float-dtype.ts";
import { isScalable, type LayoutName, layoutNames, ownDtype } from "./layouts/layouts.ts";
import { type ChosenStrategy, parseStrategy, strategyRow } from "./strategies.ts";
import type { Compression } from "./updates/compress-updates.ts";

/** A size at which everything is measured. */
export interface PointSize {
  readonly clients: number;
  /** Counts for layouts that take any number of parameters. */
  readonly params: number;
}

/** What a run of `bench -- aggregate` does. */
export interface AggregateSettings {
  /** The first is the one that tables are about; the others come from sweeps. */
  readonly points: readonly PointSize[];
  readonly layout: LayoutName;
  readonly dtype: FloatDtype;
  /** What engines get the updates compressed to. */
  readonly compression: Compression;
  readonly engines: readonly EngineName[];
  /** Whether engines were asked for by `all`: those that do not run here are left out then. */
  readonly isAnyEngine: boolean;
  readonly modes: readonly SumMode[];
  readonly strategy: ChosenStrategy;
  readonly threads: readonly number[];
  readonly runs: number;
  readonly baselines: readonly BaselineName[];
  readonly python: string | undefined;
  readonly folder: string | undefined;
  readonly out: string | undefined;
  readonly isPublished: boolean;
  readonly html: string | undefined;
  readonly isQuick: boolean;
}

/** What a command line asks for, with defaults. @throws `cli/invalid-arguments` */
export function aggregateSettings(given: GivenOptions<AggregateOption>): AggregateSettings {
  const [word] = given.words;
  if (word !== undefined) throw invalidArguments(`aggregate takes options only, not '${word}'.`);
  const quick = given.has("quick") ? 1 : 0;
  const numberOr = (option: "clients" | "params" | "runs"): number => {
    const text = given.last(option);
    return text === undefined ? aggregateDefaults[option][quick] : wholeNumber(`--${option}`, text);
  };
  const layout = oneOf("--layout", given.last("layout") ?? aggregateDefaults.layout, layoutNames);
  if (given.has("params") && !isScalable(layout))
    throw invalidArguments(`--params counts for flat and 160; ${layout} has its own number of parameters.`);
  if (given.has("out") && given.has("publish")) throw invalidArguments("--publish names the file itself: leave out --out, or --publish.");
  const dtypeText = given.last("dtype");
  const strategy = parseStrategy(given.last("strategy") ?? aggregateDefaults.strategy, given.all("strategy-option"));
  const engineText = given.last("engine") ?? aggregateDefaults.engine;
  const isAnyEngine = engineText === "all";
  const compression = oneOf("--compression", given.last("compression") ?? aggregateDefaults.compression, compressionNames);
  const dtype = dtypeText === undefined ? ownDtype(layout) : oneOf("--dtype", dtypeText, floatDtypeNames);
  if (compression !== "none" && dtype !== "float32")
    throw invalidArguments(`--compression takes updates of float32, and these are ${dtype}: add --dtype float32.`);
  const settings: AggregateSettings = {
    points: pointSizes({ clients: numberOr("clients"), params: numberOr("params") }, layout, given.all("sweep")),
    layout,
    dtype,
    compression,
    // All of them are all that have names of their own: auto and cpu are one of these.
    engines: isAnyEngine
      ? engineNames.filter((name) => name !== "auto" && name !== "cpu")
      : namesOrAll("--engine", engineText, engineNames),
    isAnyEngine,
    modes: namesOrAll("--mode", given.last("mode") ?? aggregateDefaults.mode, sumModes),
    strategy,
    threads: listOf("--threads", given.last("threads") ?? aggregateDefaults.threads, (part) =>
      wholeNumber("--threads", part, { most: maxThreads }),
    ).toSorted((a, b) => a - b),
    runs: numberOr("runs"),
    baselines: chosenBaselines(given.last("baselines") ?? aggregateDefaults.baselines, strategy),
    python: given.last("python")?.includes("/") === true ? givenPath(given.last("python")) : given.last("python"),
    folder: givenPath(given.last("folder")),
    out: givenPath(given.last("out")),
    isPublished: given.has("publish"),
    html: givenPath(given.last("html")),
    isQuick: given.has("quick"),
  };
  for (const engine of settings.engines) {
    if (!isAnyEngine && combinations({ ...settings, engines: [engine] }).length === 0) {
      throw invalidArguments(`Engine ${engine} sums in mode ${engineRows[engine].modes.join(", ")}, not in ${settings.modes.join(", ")}.`);
    }
  }
  return settings;
}

function pointSizes(base: PointSize, layout: LayoutName, sweeps: readonly string[]): readonly PointSize[] {
  const sizes = [base];
  const seen = new Set<string>();
  for (const text of sweeps) {
    const [, what = "", list = ""] = /^([^=]+)=(.*)$/.exec(text) ?? [];
    if (what === "") throw invalidArguments(`--sweep takes clients=2,4,8 or params=1e5,1e6, not '${text}'.`);
    const key = oneOf("--sweep", what, ["clients", "params"] as const);
    if (seen.has(key)) throw invalidArguments(`--sweep ${key} is given twice; put all its values into one list.`);
    seen.add(key);
    if (key === "params" && !isScalable(layout))
      throw invalidArguments(`--sweep params needs the layout flat or 160; ${layout} has one size.`);
    const values = listOf(`--sweep ${key}`, list, (part) => wholeNumber(`--sweep ${key}`, part));
    sizes.push(...values.map((value) => ({ ...base, [key]: value })));
  }
  return sizes.filter((size, i) => sizes.findIndex((other) => other.clients === size.clients && other.params === size.params) === i);
}

function namesOrAll<Name extends string>(option: string, text: string, names: readonly Name[]): readonly Name[] {
  return text === "all" ? names : listOf(option, text, (part) => oneOf(option, part, names));
}

function chosenBaselines(text: string, strategy: ChosenStrategy): readonly BaselineName[] {
  const { baselines, fileBaseline } = strategyRow(strategy, 1);
  if (text === "auto") return fileBaseline === undefined ? baselines : [...baselines, fileBaseline];
  return text === "none" ? [] : namesOrAll("--baselines", text, baselineNames);
}
