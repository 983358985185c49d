import { FlareError, nearestWord, type Problem } from "@flare-ts/contracts/errors";
import { quoted } from "../peer-text.js";

/** What one setting of a strategy may be. */
export interface SettingRule<T> {
  /** In words, as messages say it, such as `a number of at least 0 and below 0.5`. */
  readonly mustBe: string;
  /** Taken where the setting is not given. */
  readonly fallback: T | undefined;
  /** Whether it has to be given. */
  readonly isRequired: boolean;
  accepts(value: unknown): value is T;
  /** Reads what was typed on a command line; text that is no such value is given back. */
  fromText(text: string): unknown;
}

/** Bounds of a number; without any it has to be finite. */
export interface NumberRange {
  readonly atLeast?: number;
  readonly above?: number;
  readonly atMost?: number;
  readonly below?: number;
  readonly isWhole?: boolean;
}

/** Rules of all settings of a strategy, by name. */
export type SettingRules = Readonly<Record<string, SettingRule<unknown>>>;

/** The settings that rules describe, checked and with defaults. */
export type SettingsBy<Rules> = { readonly [Key in keyof Rules]: Rules[Key] extends SettingRule<infer T> ? T : never };

/** A number that has to be given, or has a default. */
export function numberRule(range: NumberRange, fallback?: number): SettingRule<number> {
  return { ...numbersIn(range), fallback, isRequired: fallback === undefined };
}

/** A number that may be left out; what happens then is the strategy's to say. */
export function optionalNumberRule(range: NumberRange): SettingRule<number | undefined> {
  return { ...numbersIn(range), fallback: undefined, isRequired: false };
}

/** One of several words. */
export function choiceRule<const Choice extends string>(choices: readonly Choice[], fallback: Choice): SettingRule<Choice> {
  return {
    mustBe: choices.map((choice) => `"${choice}"`).join(" or "),
    fallback,
    isRequired: false,
    accepts: (value): value is Choice => choices.some((choice) => choice === value),
    fromText: (text) => text,
  };
}

/** Yes or no. */
export function flagRule(fallback: boolean): SettingRule<boolean> {
  return {
    mustBe: "true or false",
    fallback,
    isRequired: false,
    accepts: (value) => typeof value === "boolean",
    fromText: (text) => (text === "true" || text === "false" ? text === "true" : text),
  };
}

/** Names of tensors, which may be left out. */
export function namesRule(): SettingRule<readonly string[] | undefined> {
  return {
    mustBe: "names of tensors, on a command line with commas between them",
    fallback: undefined,
    isRequired: false,
    accepts: (value): value is readonly string[] => Array.isArray(value) && value.every((name) => typeof name === "string" && name !== ""),
    fromText: (text) => (text === "" ? [] : text.split(",")),
  };
}

/**
 * Checks all settings of a strategy and completes them with defaults.
 *
 * @throws `aggregate/strategy-invalid`, naming everything that is wrong: the setting, its value, and what it may be
 */
export function readSettings<Rules extends SettingRules>(strategy: string, rules: Rules, given: object): SettingsBy<Rules> {
  const problems: Problem[] = [];
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(rules, key)) problems.push({ path: key, message: unknownSetting(strategy, rules, key) });
  }
  const settings: Record<string, unknown> = {};
  for (const [key, rule] of Object.entries(rules)) {
    const value: unknown = Object.hasOwn(given, key) ? (given as Record<string, unknown>)[key] : undefined;
    if (value === undefined && !rule.isRequired) settings[key] = rule.fallback;
    else if (rule.accepts(value)) settings[key] = value;
    else {
      const is = value === undefined ? "is missing" : `is ${wordFor(value)}`;
      problems.push({ path: key, message: `Setting "${key}" of ${strategy} ${is}; it must be ${rule.mustBe}.` });
    }
  }
  if (problems.length > 0) {
    throw new FlareError("aggregate/strategy-invalid", problems.map(({ message }) => message).join(" "), {
      facts: { strategy, settings: problems.map(({ path = "" }) => path) },
      problems,
    });
  }
  return settings as SettingsBy<Rules>;
}

/** Settings as reports show them: what was not given and has no default is left out, lists have commas. */
export function shownSettings(settings: object): Readonly<Record<string, number | string | boolean>> {
  const shown = Object.entries(settings)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]: [string, unknown]) => [key, Array.isArray(value) ? value.join(",") : value]);
  return Object.freeze(Object.fromEntries(shown) as Record<string, number | string | boolean>);
}

function numbersIn(range: NumberRange): Pick<SettingRule<number>, "mustBe" | "accepts" | "fromText"> {
  const { atLeast = -Infinity, above = -Infinity, atMost = Infinity, below = Infinity, isWhole = false } = range;
  const bounds = [
    ...(range.atLeast === undefined ? [] : [`of at least ${atLeast}`]),
    ...(range.above === undefined ? [] : [`above ${above}`]),
    ...(range.atMost === undefined ? [] : [`at most ${atMost}`]),
    ...(range.below === undefined ? [] : [`below ${below}`]),
  ];
  return {
    mustBe: `a ${isWhole ? "whole " : ""}number${bounds.length === 0 ? "" : ` ${bounds.join(" and ")}`}`,
    accepts: (value): value is number =>
      typeof value === "number" &&
      Number.isFinite(value) &&
      value >= atLeast &&
      value > above &&
      value <= atMost &&
      value < below &&
      (!isWhole || Number.isSafeInteger(value)),
    // Number("") is 0 and Number("0x10") is 16, neither of which a person means.
    fromText: (text) => (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : text),
  };
}

function unknownSetting(strategy: string, rules: SettingRules, key: string): string {
  const known = Object.keys(rules);
  const near = nearestWord(key, known);
  if (near !== undefined) return `${strategy} has no setting ${quoted(key)}; did you mean "${near}"?`;
  return `${strategy} has no setting ${quoted(key)}; it has ${known.length === 0 ? "none" : known.join(", ")}.`;
}

function wordFor(value: unknown): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  return String(value);
}
