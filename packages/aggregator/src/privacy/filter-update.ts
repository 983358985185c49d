import { rename, rm } from "node:fs/promises";
import { FlareError, limits } from "@flare-ts/contracts/errors";
import type { ParamsType } from "../aggregation-engine.js";
import { ChunkReader } from "../compression/chunk-reader.js";
import { compressedKey } from "../compression/compressed-format.js";
import { quoted } from "../peer-text.js";
import type { TensorPlace } from "../safetensors/layout.js";
import { writeSafetensors } from "../safetensors/write-safetensors.js";
import type { RandomBytes } from "../strategies/gaussian-noise.js";
import { dtypeBytes, isFloatDtype } from "../tensor.js";
import { ChunkSpace, decodeFloats, encodeFloats, roundsToInfinity } from "./float-codec.js";
import { NormFilter } from "./norm-filter.js";
import { PercentileFilter } from "./percentile-filter.js";
import { SvtFilter, type SvtFilterInit } from "./svt-filter.js";
import type { ValueFilter } from "./value-filter.js";

/** What is done to an update before it leaves its site. */
export type UpdateFilter =
  /** Leaves tensors out. */
  | { readonly kind: "exclude"; readonly isExcluded: (tensor: string) => boolean }
  /** Sets the smallest changes to zero, up to a percentile of 0 to 100, and cuts the others at a magnitude above 0. */
  | { readonly kind: "percentile"; readonly percentile: number; readonly gamma: number }
  /** Shortens the change to a Euclidean norm over all floating tensors together; above 0. */
  | { readonly kind: "clip-norm"; readonly maxNorm: number }
  /** The same, and adds Gaussian noise of a standard deviation of `noiseMultiplier * clipNorm` to each value. */
  | { readonly kind: "gaussian"; readonly clipNorm: number; readonly noiseMultiplier: number; readonly randomBytes: RandomBytes }
  /** Lets out some of the largest changes, each with Laplace noise, and sets the others to zero. */
  | ({ readonly kind: "svt" } & SvtFilterInit);

export interface FilterUpdateInit {
  /** Safetensors file of the update; it is read once, so that nothing that is written to it later gets through. */
  readonly source: string;
  readonly paramsType: ParamsType;
  /** Model that the update was trained from. */
  readonly base: string;
  /** Where the filtered one goes; files beside it, whose names begin with this one, are removed again. */
  readonly outPath: string;
  /** In their order; tensors that any of them leaves out are gone before the first one. */
  readonly filters: readonly UpdateFilter[];
  /** @default true */
  readonly isDurable?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What became of an update. */
export interface FilterReport {
  /** DIFF where a filter is about changes, whatever the update was. */
  readonly paramsType: ParamsType;
  /** Names of the tensors that were left out. */
  readonly leftOut: readonly string[];
  /** How many values all tensors that are not left out hold together. */
  readonly values: number;
  readonly bytesOut: number;
}

/**
 * Makes of an update what may leave its site. Only tensors of the model that it was trained from get through, in their shape and type and
 * in the model's order, without the metadata of the file. Where there is noise, each tensor that is not left out has to be there: which
 * ones a script sends would say something that no noise hides. Where values are filtered, a whole model becomes its difference to that
 * model first, and tensors of integers, which no filter of values protects, are left out. A chunk is in memory at a time; each filter of
 * values reads its file two or three times and writes one.
 *
 * @throws `privacy/nothing-left`, `privacy/tensors-missing`; `aggregate/unknown-tensor`, `aggregate/layout-mismatch` for tensors that the
 *   model does not have so, `aggregate/not-finite`, `aggregate/out-of-range` for a value that the tensor's type does not hold, `aggregate/compression-invalid` for an
 *   update that is compressed already, `aggregate/safetensors-…`, `file/…`, `internal/aborted`
 */
export async function filterUpdate(init: FilterUpdateInit): Promise<FilterReport> {
  const { outPath, filters, isDurable, signal } = init;
  const valueFilters = filters.filter(isOfValues);
  const steps = [undefined, ...valueFilters].map((filter, i) => ({ filter, path: `${outPath}.${i}` }));
  try {
    let done: TakenOver = { bytes: 0, values: 0, leftOut: [] };
    let before = init.source;
    for (const { filter, path } of steps) {
      const isLast = path === steps.at(-1)?.path;
      const options = { path, isDurable: isLast ? isDurable : false, signal };
      if (filter === undefined) done = await takeOver(init, { ...options, isDifference: valueFilters.length > 0 });
      else {
        done = { ...done, bytes: await changeValues(valueFilterOf(filter, done.values), before, options) };
        await rm(before, { force: true });
      }
      before = path;
    }
    await rename(before, outPath);
    const { leftOut, values, bytes: bytesOut } = done;
    return { paramsType: valueFilters.length > 0 ? "DIFF" : init.paramsType, leftOut, values, bytesOut };
  } catch (cause) {
    await Promise.all(steps.map(({ path }) => rm(path, { force: true })));
    throw cause;
  }
}

type FilterOfValues = Exclude<UpdateFilter, { readonly kind: "exclude" }>;

function isOfValues(filter: UpdateFilter): filter is FilterOfValues {
  return filter.kind !== "exclude";
}

function valueFilterOf(filter: FilterOfValues, values: number): ValueFilter {
  if (filter.kind === "percentile") return new PercentileFilter(filter);
  if (filter.kind === "clip-norm") return new NormFilter(filter);
  if (filter.kind === "svt") return new SvtFilter(filter, values);
  const { clipNorm: maxNorm, noiseMultiplier: multiplier, randomBytes } = filter;
  return new NormFilter({ maxNorm, noise: { multiplier, randomBytes } });
}

/** What the first step came to. */
interface TakenOver {
  readonly bytes: number;
  readonly values: number;
  readonly leftOut: readonly string[];
}

interface StepInit {
  readonly path: string;
  readonly isDurable: boolean | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Copies what gets through at all, as differences where values are to be filtered. */
async function takeOver(
  { source, base, paramsType, filters, signal }: FilterUpdateInit,
  { path, isDurable, isDifference }: StepInit & { readonly isDifference: boolean },
): Promise<TakenOver> {
  const reader = await ChunkReader.open({ source, base, isSubtracted: isDifference && paramsType === "FULL", signal });
  try {
    const { tensors, metadata } = reader.layout;
    if (metadata[compressedKey] !== undefined) {
      throw new FlareError("aggregate/compression-invalid", `${source} is compressed already, and cannot be filtered.`, {
        facts: { file: source },
      });
    }
    const isKept = ({ name, dtype }: TensorPlace): boolean =>
      !filters.some((filter) => filter.kind === "exclude" && filter.isExcluded(name)) && (!isDifference || isFloatDtype(dtype));
    const given = new Map(tensors.map((tensor) => [tensor.name, tensor]));
    const wanted = reader.baseTensors.filter(isKept);
    const missing = wanted.find(({ name }) => !given.has(name));
    if (missing !== undefined && filters.some(({ kind }) => kind === "gaussian" || kind === "svt")) throw lacks(missing);
    const kept = wanted.flatMap(({ name }) => given.get(name) ?? []);
    if (kept.length === 0) throw new FlareError("privacy/nothing-left", `The filters leave nothing of the update ${source}.`);
    const { bytes } = await writeSafetensors(path, kept, reader.allBytes(kept), { isDurable, isHashed: false, signal });
    const values = kept.reduce((sum, { dtype, byteLength }) => sum + byteLength / dtypeBytes[dtype], 0);
    return { bytes, values, leftOut: tensors.filter((tensor) => !isKept(tensor)).map(({ name }) => name) };
  } finally {
    await reader.close();
  }
}

async function changeValues(filter: ValueFilter, source: string, { path, isDurable, signal }: StepInit): Promise<number> {
  const reader = await ChunkReader.open({ source, signal });
  try {
    const { tensors } = reader.layout;
    const space = new ChunkSpace();
    for (let turn = 0; turn < filter.looks; turn++) {
      for (const tensor of tensors) for await (const values of floatsOf(reader, tensor, space)) filter.look(values, turn);
      filter.looked(turn);
    }
    const changed = changedBytes(filter, reader, space);
    return (await writeSafetensors(path, tensors, changed, { isDurable, isHashed: false, signal })).bytes;
  } finally {
    await reader.close();
  }
}

async function* changedBytes(filter: ValueFilter, reader: ChunkReader, space: ChunkSpace): AsyncGenerator<Uint8Array> {
  for (const tensor of reader.layout.tensors) {
    for await (const values of floatsOf(reader, tensor, space)) {
      filter.change(values);
      requireWithin(tensor, values);
      yield encodeFloats(tensor.dtype, values, space);
    }
  }
}

async function* floatsOf(reader: ChunkReader, tensor: TensorPlace, space: ChunkSpace): AsyncGenerator<Float64Array> {
  for await (const bytes of reader.bytes(tensor, space.bytes)) {
    const values = decodeFloats(tensor.dtype, bytes, space);
    const wrong = firstAtLeast(values, Number.POSITIVE_INFINITY);
    if (wrong !== undefined) throw wrongValue("aggregate/not-finite", tensor, `holds ${wrong}`);
    yield values;
  }
}

function requireWithin(tensor: TensorPlace, values: Float64Array): void {
  const wrong = firstAtLeast(values, roundsToInfinity(tensor.dtype));
  if (wrong !== undefined) throw wrongValue("aggregate/out-of-range", tensor, `would hold ${wrong}, which is beyond ${tensor.dtype}`);
}

/** The first value of at least a magnitude, or that is no number. */
function firstAtLeast(values: Float64Array, bound: number): number | undefined {
  for (let i = 0; i < values.length; i++) if (!(Math.abs(values[i] as number) < bound)) return values[i];
  return undefined;
}

function lacks({ name }: TensorPlace): FlareError {
  return new FlareError("privacy/tensors-missing", `The update lacks tensor ${quoted(name)} of the model, and noise is for all of them.`, {
    facts: { tensor: name.slice(0, limits.peerTextChars) },
  });
}

function wrongValue(code: "aggregate/not-finite" | "aggregate/out-of-range", { name }: TensorPlace, what: string): FlareError {
  return new FlareError(code, `Tensor ${quoted(name)} ${what}.`, { facts: { tensor: name.slice(0, limits.peerTextChars) } });
}
