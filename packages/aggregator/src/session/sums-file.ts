import { FlareError, limits } from "@flare-ts/contracts/errors";
import type { ParamsType } from "../aggregation-engine.js";
import type { ByteSource } from "../byte-source.js";
import { maxContributors } from "../exact/exact-scale.js";
import { weightRange } from "../exact/weight.js";
import { quoted } from "../peer-text.js";
import type { SafetensorsLayout } from "../safetensors/layout.js";
import { isOfSums, type Strategy } from "../strategies/strategy.js";
import { type Dtype, elementsOf, isFloatDtype } from "../tensor.js";
import { largestInteger } from "./combine-integers.js";
import type { ModelIndex } from "./match-layout.js";
import type { StoredTensors } from "./stored-tensor.js";
import { type NamedContributor, namesBehind, type SummedContributors, type SummedTogether } from "./summed-contributors.js";

/** What a file of sums says of itself; it has to be the same wherever sums go together. */
export interface SumsHeading {
  readonly strategy: string;
  readonly paramsType: ParamsType;
  /** Grid of each tensor of the model, in its order; 0 for integers. */
  readonly gridBits: readonly number[];
}

/** Metadata of a file of sums. */
const sumsKey = "flare.sums";

/** Grid steps that one term may have: fewer than 2^51. */
export const termSteps: bigint = 2n ** 51n - 1n;

/** The metadata of a file of sums. */
export function sumsMetadata(
  { tensors }: ModelIndex,
  heading: SumsHeading,
  { named, together }: SummedContributors,
): Readonly<Record<string, string>> {
  const contributors = named.map(({ absent, ...each }) => ({ ...each, absent: [...absent].map((tensor) => tensors[tensor]?.name ?? "") }));
  return { [sumsKey]: JSON.stringify({ ...heading, contributors, ...(together.length === 0 ? {} : { together }) }) };
}

/** Reads who is in a file of sums. @throws `aggregate/sums-invalid` where it does not go with the heading */
export function readSumsMetadata(
  { metadata }: SafetensorsLayout,
  model: ModelIndex,
  wanted: SumsHeading,
  file: string,
): SummedContributors {
  const invalid = (what: string): never => {
    throw new FlareError("aggregate/sums-invalid", `${file} ${what}.`, { facts: { file } });
  };
  const text = metadata[sumsKey];
  if (text === undefined) return invalid(`holds no sums: its metadata lacks ${sumsKey}`);
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return invalid(`has ${sumsKey} that is not JSON`);
  }
  if (!isRecord(given)) return invalid(`has ${sumsKey} that is not an object`);
  for (const key of ["strategy", "paramsType", "gridBits"] as const) {
    if (JSON.stringify(given[key]) !== JSON.stringify(wanted[key])) return invalid(`was made with another ${key}`);
  }
  const { contributors, together: groups = [] } = given;
  if (!Array.isArray(contributors) || !Array.isArray(groups) || contributors.length + groups.length === 0)
    return invalid("names no contributors");
  const sums = {
    named: contributors.map((each: unknown) => readContributor(each, model) ?? invalid("describes a contributor wrongly")),
    together: groups.map((each: unknown) => readTogether(each, model) ?? invalid("describes contributors wrongly")),
  };
  const names = namesBehind(sums);
  if (new Set(names).size < names.length) return invalid("names a contributor twice");
  return sums;
}

/** `undefined` for what no session writes. */
function readContributor(given: unknown, { indexOf }: ModelIndex): NamedContributor | undefined {
  if (!isRecord(given)) return undefined;
  const { contributor, factor, weight, norm, tensors, bytes, absent } = given;
  const isWithin = (value: unknown, least: number): value is number => typeof value === "number" && value >= least && value <= 2 ** 500;
  if (typeof contributor !== "string" || !isWithin(factor, -weightRange.most) || !isWithin(weight, 0)) return undefined;
  if (factor > weightRange.most || weight > weightRange.most) return undefined;
  if (!isWithin(norm, 0) || !isWithin(tensors, 0) || !isWithin(bytes, 0)) return undefined;
  if (!Array.isArray(absent)) return undefined;
  const lacking = absent.map((name: unknown) => (typeof name === "string" ? indexOf.get(name) : undefined));
  if (lacking.includes(undefined)) return undefined;
  return { contributor, factor, weight, norm, tensors, bytes, absent: new Set(lacking as readonly number[]) };
}

/** `undefined` for what nobody writes. */
function readTogether(given: unknown, { tensors }: ModelIndex): SummedTogether | undefined {
  if (!isRecord(given)) return undefined;
  const { contributors, weights, bytes } = given;
  const isWithin = (value: unknown): value is number =>
    typeof value === "number" && value >= 0 && value <= maxContributors * weightRange.most;
  if (!Array.isArray(contributors) || contributors.length === 0 || !contributors.every((each) => typeof each === "string"))
    return undefined;
  if (!Array.isArray(weights) || weights.length !== tensors.length || !weights.every(isWithin) || !isWithin(bytes)) return undefined;
  return { contributors, weights, bytes };
}

/**
 * Only where shares are the weights can updates be summed whose weights are not known one by one.
 *
 * @throws `aggregate/strategy-unfit`
 */
export function requireTogether(strategy: Strategy): void {
  const { name } = strategy;
  if (isOfSums(strategy)) return;
  throw new FlareError("aggregate/strategy-unfit", `The strategy ${name} has to see updates or their weights, so they cannot be masked.`, {
    facts: { strategy: name },
  });
}

/**
 * Refuses sums that these contributors cannot have made, which might wrap around later, and tensors that are not theirs.
 *
 * @throws `aggregate/sums-invalid`
 */
export async function checkSums(
  source: ByteSource,
  stored: StoredTensors,
  { tensors }: ModelIndex,
  { named, together }: SummedContributors,
): Promise<void> {
  const buffer = new Uint8Array(2 ** 20);
  const words = new BigInt64Array(buffer.buffer);
  for (const [index, { name, dtype, shape }] of tensors.entries()) {
    const refuse = (what: string): never => {
      throw new FlareError("aggregate/sums-invalid", `${source.label} ${what} tensor ${quoted(name)}.`, {
        facts: { file: source.label, tensor: name.slice(0, limits.peerTextChars) },
      });
    };
    const senders = named.filter(({ absent }) => !absent.has(index));
    const groups = together.filter(({ weights }) => weights[index] !== 0);
    const tensor = stored[index];
    if ((tensor === undefined) !== (senders.length + groups.length === 0)) refuse("does not say the same of its contributors and of");
    const weights = [...senders.map(({ weight }) => weight), ...groups.map((group) => group.weights[index] ?? 0)];
    if (!isFloatDtype(dtype) && !weights.every((weight) => Number.isSafeInteger(weight))) refuse("has weights that make no whole sums of");
    const behind = groups.reduce((sum, group) => sum + group.contributors.length, senders.length);
    const most = mostOf(dtype, behind, weights);
    if (tensor === undefined || most === undefined) continue;
    const elements = elementsOf(shape) ?? 0;
    for (let done = 0; done < elements; ) {
      const some = Math.min(words.length, elements - done);
      await source.read(buffer.subarray(0, 8 * some), tensor.offset + 8 * done);
      if (words.subarray(0, some).some((sum) => sum > most || sum < -most))
        refuse(`holds a sum that ${behind} contributors cannot have made in`);
      done += some;
    }
  }
}

/** The largest magnitude of a sum; `undefined` where any 64-bit integer may be one. */
function mostOf(dtype: Dtype, senders: number, weights: readonly number[]): bigint | undefined {
  if (isFloatDtype(dtype)) return BigInt(senders) * termSteps;
  const largest = largestInteger[dtype];
  if (largest === undefined) return undefined;
  return BigInt(Math.floor(weights.reduce((sum, weight) => sum + weight, 0) * largest));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
