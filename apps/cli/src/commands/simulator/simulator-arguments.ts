import type { LogConfig } from "@flare-ts/contracts";
import { InvalidArgumentError } from "commander";

/** Reads names as FLARE writes them: `a,b,c`. */
export function nameList(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((name) => name !== "");
}

/**
 * Reads `-gpu`: what CUDA_VISIBLE_DEVICES is at the first site, at the second and so on, such as `0,1`; in brackets stand several of one
 * site, such as `[0,1],[2,3]`.
 */
export function gpuGroups(text: string): readonly string[] {
  const item = String.raw`(?:[^\s,\[\]]+|\[[^\s\[\]]+\])`;
  const compact = text.replaceAll(/\s+/g, "");
  if (!new RegExp(`^${item}(?:,${item})*$`).test(compact))
    throw new InvalidArgumentError("GPUs are written as 0,1 or, several of a site, as [0,1],[2,3].");
  return [...compact.matchAll(new RegExp(item, "g"))].map(([group]) => group.replaceAll(/[[\]]/g, ""));
}

/** What FLARE and Python call levels and ways of logging, by our levels. */
const levels: ReadonlyMap<string, LogConfig["level"]> = new Map([
  ["debug", "debug"],
  ["info", "info"],
  ["warn", "warn"],
  ["warning", "warn"],
  ["error", "error"],
  ["critical", "error"],
  ["concise", "info"],
  ["full", "info"],
  ["verbose", "debug"],
  ["10", "debug"],
  ["20", "info"],
  ["30", "warn"],
  ["40", "error"],
  ["50", "error"],
]);

/** Reads `-l`: a level, or one of FLARE's ways of logging. */
export function logLevel(text: string): LogConfig["level"] {
  const level = levels.get(text.toLowerCase());
  if (level !== undefined) return level;
  throw new InvalidArgumentError(
    "It is a level (debug, info, warn, error) or FLARE's concise, full or verbose; logging files of Python are not read.",
  );
}

/** A data set that every site has, at a place that may differ by site. */
export interface SimulatedDataset {
  readonly name: string;
  /** Path in which `{site}` stands for the site's name. */
  readonly path: string;
}

/** Reads one `--dataset` after those before it. */
export function addDataset(text: string, before: readonly SimulatedDataset[] = []): readonly SimulatedDataset[] {
  const [, name, path] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || path === undefined)
    throw new InvalidArgumentError("A data set is written as name=path, such as patients=data/{site}.csv.");
  if (before.some((one) => one.name === name)) throw new InvalidArgumentError(`The data set '${name}' is given twice.`);
  return [...before, { name, path }];
}
