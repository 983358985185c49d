import { FlareError, nearestWord } from "@flare-ts/contracts";
import { quoted } from "../peer-text.js";
import { type DpFedAvgSettings, dpFedAvg, dpFedAvgRules } from "./dp-fed-avg.js";
import { fedAvg } from "./fed-avg.js";
import { type FedAvgMSettings, fedAvgM, fedAvgMRules } from "./fed-avg-m.js";
import { type FedBuffSettings, fedBuff, fedBuffRules } from "./fed-buff.js";
import { type FedAdagradSettings, type FedAdamSettings, type FedYogiSettings, fedOpt, fedOptRules } from "./fed-opt.js";
import { type FedProxSettings, fedProx, fedProxRules } from "./fed-prox.js";
import type { RandomBytes } from "./gaussian-noise.js";
import { type GeometricMedianSettings, geometricMedian, geometricMedianRules } from "./geometric-median.js";
import { type KrumSettings, krum, krumRules, type MultiKrumSettings, multiKrum, multiKrumRules } from "./krum.js";
import { coordinateMedian } from "./median.js";
import { type NormClipSettings, normClip, normClipRules } from "./norm-clip.js";
import {
  type ScaffoldControlSettings,
  type ScaffoldModelSettings,
  scaffoldControl,
  scaffoldControlRules,
  scaffoldModel,
  scaffoldModelRules,
} from "./scaffold.js";
import { readSettings, type SettingRules } from "./setting-rules.js";
import type { Strategy } from "./strategy.js";
import { type TrimmedMeanSettings, trimmedMean, trimmedMeanRules } from "./trimmed-mean.js";

/** What some strategies need besides their settings. */
export interface StrategyComponents {
  /** For `dp-fed-avg`: cryptographic random bytes. */
  readonly randomBytes: RandomBytes;
}

/** A strategy that can be asked for by name. */
interface NamedStrategy {
  readonly rules: SettingRules;
  make(settings: object, components: StrategyComponents): Strategy;
}

/** Settings are checked by each strategy itself, so that the types may be taken as given here. */
function named<Settings>(rules: SettingRules, make: (settings: Settings, components: StrategyComponents) => Strategy): NamedStrategy {
  return { rules, make: (settings, components) => make(settings as Settings, components) };
}

function withoutSettings(name: string, make: () => Strategy): NamedStrategy {
  return named<object>({}, (settings) => {
    readSettings(name, {}, settings);
    return make();
  });
}

const strategies = Object.freeze({
  "fed-avg": withoutSettings("fed-avg", fedAvg),
  "fed-prox": named<FedProxSettings>(fedProxRules, fedProx),
  "fed-avg-m": named<FedAvgMSettings>(fedAvgMRules, fedAvgM),
  "fed-adam": named<FedAdamSettings>(fedOptRules.adam, (settings) => fedOpt({ ...settings, optimizer: "adam" })),
  "fed-yogi": named<FedYogiSettings>(fedOptRules.yogi, (settings) => fedOpt({ ...settings, optimizer: "yogi" })),
  "fed-adagrad": named<FedAdagradSettings>(fedOptRules.adagrad, (settings) => fedOpt({ ...settings, optimizer: "adagrad" })),
  scaffold: named<ScaffoldModelSettings>(scaffoldModelRules, scaffoldModel),
  "scaffold-control": named<ScaffoldControlSettings>(scaffoldControlRules, scaffoldControl),
  "fed-buff": named<FedBuffSettings>(fedBuffRules, fedBuff),
  median: withoutSettings("median", coordinateMedian),
  "trimmed-mean": named<TrimmedMeanSettings>(trimmedMeanRules, trimmedMean),
  krum: named<KrumSettings>(krumRules, krum),
  "multi-krum": named<MultiKrumSettings>(multiKrumRules, multiKrum),
  "geometric-median": named<GeometricMedianSettings>(geometricMedianRules, geometricMedian),
  "norm-clip": named<NormClipSettings>(normClipRules, normClip),
  "dp-fed-avg": named<DpFedAvgSettings>(dpFedAvgRules, (settings, { randomBytes }) => dpFedAvg({ ...settings, randomBytes })),
});

/** A strategy that `createStrategy` knows. */
export type StrategyName = keyof typeof strategies;

/** All of them, in the order of the documentation. */
export const strategyNames = Object.freeze(Object.keys(strategies) as readonly StrategyName[]);

/**
 * Makes the strategy of a name. Settings that are text are read as numbers, as true or false, or as lists with commas where the
 * strategy wants such, so that a command line can pass on what was typed.
 *
 * @param options - settings by their names in code, such as `learningRate`
 * @throws `aggregate/strategy-invalid` for an unknown name or setting, with the nearest known one, and for values that are not
 *   allowed
 */
export function createStrategy(
  name: string,
  options: Readonly<Record<string, string | number | boolean>>,
  components: StrategyComponents,
): Strategy {
  if (!Object.hasOwn(strategies, name)) {
    const near = nearestWord(name, strategyNames);
    const hint = near === undefined ? `there are ${strategyNames.join(", ")}.` : `did you mean "${near}"?`;
    throw new FlareError("aggregate/strategy-invalid", `There is no strategy ${quoted(name)}; ${hint}`, { facts: { strategy: name } });
  }
  const { rules, make } = strategies[name as StrategyName];
  const settings = Object.entries(options).map(([key, value]) => {
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
    return [key, typeof value === "string" && rule !== undefined ? rule.fromText(value) : value] as const;
  });
  return make(Object.fromEntries(settings), components);
}

/** What each setting of a strategy has to be, in words, and its default; for help texts. */
export function settingsOf(
  name: StrategyName,
): readonly { readonly setting: string; readonly mustBe: string; readonly fallback: unknown }[] {
  return Object.entries(strategies[name].rules).map(([setting, { mustBe, fallback }]) => ({ setting, mustBe, fallback }));
}
