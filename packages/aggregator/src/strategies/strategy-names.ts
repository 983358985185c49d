import { FlareError, nearestWord } from "@flare-ts/contracts/errors";
import { quoted } from "../peer-text.js";
import { dpFedAvg, dpFedAvgRules } from "./dp-fed-avg.js";
import { fedAvg } from "./fed-avg.js";
import { fedAvgM, fedAvgMRules } from "./fed-avg-m.js";
import { fedBuff, fedBuffRules } from "./fed-buff.js";
import { fedOpt, fedOptRules } from "./fed-opt.js";
import { fedProx, fedProxRules } from "./fed-prox.js";
import type { RandomBytes } from "./gaussian-noise.js";
import { geometricMedian, geometricMedianRules } from "./geometric-median.js";
import { krum, krumRules, multiKrum, multiKrumRules } from "./krum.js";
import { coordinateMedian } from "./median.js";
import { normClip, normClipRules } from "./norm-clip.js";
import { scaffoldControl, scaffoldControlRules, scaffoldModel, scaffoldModelRules, scaffoldRound, scaffoldRoundRules } from "./scaffold.js";
import { readSettings, type SettingRules, type SettingsBy } from "./setting-rules.js";
import type { Strategy } from "./strategy.js";
import { trimmedMean, trimmedMeanRules } from "./trimmed-mean.js";

/** What some strategies need besides their settings. */
export interface StrategyComponents {
  /** For `dp-fed-avg`: cryptographic random bytes. */
  readonly randomBytes: RandomBytes;
}

/** A strategy that can be asked for by name. */
interface NamedStrategy {
  readonly rules: SettingRules;
  readonly make: (settings: object, components: StrategyComponents) => Strategy;
}

/** Settings are checked before they are passed on, so that none is overridden in silence. */
function named<Rules extends SettingRules>(
  name: string,
  rules: Rules,
  make: (settings: SettingsBy<Rules>, components: StrategyComponents) => Strategy,
): NamedStrategy {
  return { rules, make: (settings, components) => make(readSettings(name, rules, settings), components) };
}

const { adam, yogi, adagrad } = fedOptRules;

const strategies = Object.freeze({
  "fed-avg": named("fed-avg", {}, fedAvg),
  "fed-prox": named("fed-prox", fedProxRules, fedProx),
  "fed-avg-m": named("fed-avg-m", fedAvgMRules, fedAvgM),
  "fed-adam": named("fed-adam", adam, (settings) => fedOpt({ ...settings, optimizer: "adam" })),
  "fed-yogi": named("fed-yogi", yogi, (settings) => fedOpt({ ...settings, optimizer: "yogi" })),
  "fed-adagrad": named("fed-adagrad", adagrad, (settings) => fedOpt({ ...settings, optimizer: "adagrad" })),
  scaffold: named("scaffold", scaffoldModelRules, scaffoldModel),
  "scaffold-control": named("scaffold-control", scaffoldControlRules, scaffoldControl),
  "scaffold-round": named("scaffold-round", scaffoldRoundRules, scaffoldRound),
  "fed-buff": named("fed-buff", fedBuffRules, fedBuff),
  median: named("median", {}, coordinateMedian),
  "trimmed-mean": named("trimmed-mean", trimmedMeanRules, trimmedMean),
  krum: named("krum", krumRules, krum),
  "multi-krum": named("multi-krum", multiKrumRules, multiKrum),
  "geometric-median": named("geometric-median", geometricMedianRules, geometricMedian),
  "norm-clip": named("norm-clip", normClipRules, normClip),
  "dp-fed-avg": named("dp-fed-avg", dpFedAvgRules, (settings, { randomBytes }) => dpFedAvg({ ...settings, randomBytes })),
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
  options: Readonly<Record<string, string | number | boolean | readonly string[]>>,
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
