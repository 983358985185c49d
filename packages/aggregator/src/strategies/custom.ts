import { FlareError, nearestWord, type Problem } from "@flare-ts/contracts/errors";
import { quoted } from "../peer-text.js";
import { checkShares } from "./check-shares.js";
import type { Combine, Strategy } from "./strategy.js";
import { strategyNames } from "./strategy-names.js";

/** A strategy of one's own; what is left out is as FedAvg has it. */
export type CustomStrategy = Pick<Strategy, "name"> & Partial<Strategy>;

const memberNames = [
  "name",
  "settings",
  "needs",
  "combine",
  "combines",
  "weigh",
  "step",
  "isSeparable",
] as const satisfies readonly (keyof Strategy)[];
const needNames = ["norms", "distances", "paramsType"];
const wordPattern = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const mostNameChars = 63;

/**
 * Makes a strategy of one's own fit for every engine. It is checked as a whole here, and its shares are checked in each round.
 *
 * The contract: a strategy describes, the engine computes. `weigh` sees facts about contributors and gives shares; `combine`
 * names how values become one, or is a function that does it; `step` changes the change. Each may be called for any part of the
 * model, in any order, and in several aggregations at once: what it gives has to depend on its arguments alone. State belongs
 * into the tensors that `step.stateNames` names. Functions must not keep or change the arrays that they are given, other than
 * those that they fill.
 *
 * ```js
 * // The mean of the half of the contributors with the shortest changes.
 * const shorterHalf = customStrategy({
 *   name: "shorter-half",
 *   needs: { norms: true },
 *   weigh({ contributors }) {
 *     const norms = contributors.map(({ norm }) => norm).sort((a, b) => a - b);
 *     const longest = norms[Math.floor((norms.length - 1) / 2)];
 *     return contributors.map(({ norm, weight }) => (norm <= longest ? { factor: weight, weight } : { factor: 0, weight: 0 }));
 *   },
 * });
 * ```
 *
 * @throws `aggregate/strategy-invalid`, naming everything that is wrong; `weigh` throws `aggregate/strategy-unfit` for shares
 *   that cannot be computed with
 */
export function customStrategy(description: CustomStrategy): Strategy {
  const problems = problemsOf(description);
  if (problems.length > 0) {
    throw new FlareError("aggregate/strategy-invalid", problems.map(({ message }) => message).join(" "), {
      facts: { settings: problems.map(({ path = "" }) => path) },
      problems,
    });
  }
  const { name, settings = {}, needs = {}, combine = { kind: "mean" }, combines, weigh, step, isSeparable } = description;
  const hasDivisor = combine.kind === "mean" && combine.divisor !== undefined;
  return Object.freeze({
    name,
    settings: Object.freeze({ ...settings }),
    needs: Object.freeze({ ...needs }),
    combine: Object.freeze({ ...combine }),
    ...(combines === undefined ? {} : { combines }),
    ...(weigh === undefined ? {} : { weigh: (facts) => checkShares(name, facts, weigh(facts), hasDivisor) }),
    ...(step === undefined ? {} : { step }),
    ...(isSeparable === undefined ? {} : { isSeparable }),
  } satisfies Strategy);
}

/** A plug-in may come from plain JavaScript, so nothing is taken for granted. */
function problemsOf(description: unknown): readonly Problem[] {
  const problems: Problem[] = [];
  const problem = (path: string, message: string): void => void problems.push({ path, message });
  if (!isRecord(description)) return [{ message: "A strategy must be an object." }];
  for (const key of Object.keys(description)) {
    if (memberNames.some((member) => member === key)) continue;
    const near = nearestWord(key, memberNames);
    problem(
      key,
      near === undefined ? `A strategy has no member ${quoted(key)}.` : `A strategy has no member ${quoted(key)}; did you mean "${near}"?`,
    );
  }
  const { name, settings, needs, combine, combines, weigh, step, isSeparable } = description;
  if (!isWord(name)) {
    problem("name", `The name of a strategy must be lower-case words with - between them, at most ${mostNameChars} characters.`);
  } else if (strategyNames.some((known) => known === name)) {
    problem("name", `The name ${quoted(name)} belongs to a strategy that is built in; take another.`);
  }
  if (settings !== undefined && !(isRecord(settings) && Object.values(settings).every(isPlain))) {
    problem("settings", "The settings of a strategy must be finite numbers, texts, true or false.");
  }
  if (needs !== undefined) checkNeeds(needs, problem);
  if (combine !== undefined) checkCombine(combine, problem);
  if (combines !== undefined && typeof combines !== "function") problem("combines", "combines must be a function.");
  if (weigh !== undefined && typeof weigh !== "function") problem("weigh", "weigh must be a function.");
  if (step !== undefined) checkStep(step, problem);
  if (isSeparable !== undefined && typeof isSeparable !== "boolean") problem("isSeparable", "isSeparable must be true or false.");
  return problems;
}

type Report = (path: string, message: string) => void;

function checkNeeds(needs: unknown, problem: Report): void {
  const isValid =
    isRecord(needs) &&
    Object.entries(needs).every(([key, value]) =>
      key === "paramsType" ? value === "FULL" || value === "DIFF" : needNames.includes(key) && typeof value === "boolean",
    );
  if (!isValid) problem("needs", 'needs may hold norms and distances, true or false, and paramsType, "FULL" or "DIFF".');
}

function checkCombine(combine: unknown, problem: Report): void {
  const given = (isRecord(combine) ? combine : {}) as Partial<Record<string, unknown>>;
  switch (given["kind"] as Combine["kind"]) {
    case "mean": {
      const { divisor } = given;
      if (divisor !== undefined && !(typeof divisor === "number" && divisor > 0 && divisor < Infinity)) {
        problem("combine.divisor", "combine.divisor must be a number above 0.");
      }
      return;
    }
    case "median":
      return;
    case "trimmed-mean": {
      const { fraction } = given;
      if (!(typeof fraction === "number" && fraction >= 0 && fraction < 0.5)) {
        problem("combine.fraction", "combine.fraction must be a number of at least 0 and below 0.5.");
      }
      return;
    }
    case "custom":
      if (typeof given["combine"] !== "function") problem("combine.combine", "combine.combine must be a function.");
      return;
    default:
      problem("combine.kind", 'combine.kind must be "mean", "median", "trimmed-mean" or "custom".');
  }
}

function checkStep(step: unknown, problem: Report): void {
  const { stateNames, appliesTo, apply } = (isRecord(step) ? step : {}) as Partial<Record<string, unknown>>;
  if (!Array.isArray(stateNames) || !stateNames.every(isWord) || new Set(stateNames).size !== stateNames.length) {
    problem("step.stateNames", "step.stateNames must be a list of different lower-case words.");
  }
  if (typeof appliesTo !== "function") problem("step.appliesTo", "step.appliesTo must be a function.");
  if (typeof apply !== "function") problem("step.apply", "step.apply must be a function.");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPlain(value: unknown): boolean {
  return typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}

function isWord(value: unknown): value is string {
  return typeof value === "string" && value.length <= mostNameChars && wordPattern.test(value);
}
