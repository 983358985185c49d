import { FlareError } from "@flare-ts/contracts/errors";
import type { FinishInit, ParamsType } from "../aggregation-engine.js";
import { announcedGrid, type ExactScale } from "../exact/exact-scale.js";
import { exactWeight, exponentAbove } from "../exact/weight.js";
import { quoted } from "../peer-text.js";
import { buildHeader } from "../safetensors/build-header.js";
import type { SafetensorsLayout, TensorSpec } from "../safetensors/layout.js";
import { readSafetensorsHeader } from "../safetensors/read-header.js";
import { indexModel, type ModelIndex, requirePlainModel } from "../session/match-layout.js";
import { isFloatDtype } from "../tensor.js";

/** The file that something is written to, as of `FinishInit`. */
export type OutputInit = Pick<FinishInit, "outPath" | "isDurable" | "isHashed" | "onProgress" | "signal">;

/** What a round of secure aggregation announces; all of its updates are masked by it. */
export interface MaskedRound {
  /** The global model's file, or its layout. */
  readonly model: string | SafetensorsLayout;
  readonly paramsType: ParamsType;
  /** From `announceScale` with the same `maxWeight`. */
  readonly scale: ExactScale;
  /** Largest weight that a contributor may have. */
  readonly maxWeight: number;
}

/** How masked updates of a round are laid out: the same for every contributor, whatever the update holds. */
export interface MaskedFormat {
  readonly model: ModelIndex;
  /** Grid of each tensor of the model; 0 for integers. */
  readonly gridBits: Float64Array;
  /** Weights are whole multiples of 2^-weightBits. */
  readonly weightBits: number;
  readonly maxWeight: number;
  /** I64, the words before the tensors first. */
  readonly specs: readonly TensorSpec[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Weight that a job takes where it does not say: finer grids need a smaller one. */
export const defaultMaxWeight = 1_000_000;

/** Metadata of a masked update. */
const maskedKey = "flare.masked";
/** The tensor of the words: one that counts contributors, then the weight with which each tensor of the model was sent. */
const wordsName = "flare.masked.words";
/** A weight may have so many bits above its grid; 4096 of them are exact in float64. */
const weightBits = 40;

/** Words that stand before the tensors. */
export function wordsOf({ model }: MaskedFormat): number {
  return 1 + model.tensors.length;
}

/** @throws `aggregate/scale-incomplete`, `aggregate/weight-invalid` for `maxWeight`, `aggregate/safetensors-…` and `file/…` for the model */
export async function maskedFormat({ model, paramsType, scale, maxWeight }: MaskedRound): Promise<MaskedFormat> {
  const layout = typeof model === "string" ? await readSafetensorsHeader(model) : model;
  requirePlainModel(layout, typeof model === "string" ? model : "The model");
  const { tensors } = layout;
  const gridBits = tensors.map(({ name, dtype }) => (isFloatDtype(dtype) ? announcedGrid(scale, name) : 0));
  const most = exactWeight(maxWeight, "the announced maximum");
  const words: TensorSpec = { name: wordsName, dtype: "I64", shape: [1 + tensors.length] };
  return {
    model: indexModel(layout),
    gridBits: Float64Array.from(gridBits),
    weightBits: weightBits - exponentAbove(most),
    maxWeight: most,
    specs: [words, ...tensors.map(({ name, shape }): TensorSpec => ({ name, shape, dtype: "I64" }))],
    metadata: { [maskedKey]: JSON.stringify({ paramsType, maxWeight: most, gridBits }) },
  };
}

/** Bytes of a model's tensors, by which progress is told. */
export function modelBytes({ tensors }: Pick<ModelIndex, "tensors">): number {
  return tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** The layout that every masked update of a round has. */
export function maskedLayout({ specs, metadata }: MaskedFormat): SafetensorsLayout {
  return buildHeader(specs, metadata).layout;
}

/**
 * Size of the file of a masked update, the same for every contributor: 8 bytes for each element, and a header.
 *
 * @throws as `maskUpdate` for what the round announces
 */
export async function maskedBytes(round: MaskedRound): Promise<number> {
  return maskedLayout(await maskedFormat(round)).totalBytes;
}

/**
 * Refuses what is no masked update of this round.
 *
 * @throws `aggregate/masked-invalid`
 */
export function requireMasked(format: MaskedFormat, found: SafetensorsLayout, contributor: string): void {
  const wanted = maskedLayout(format);
  const invalid = (what: string): FlareError =>
    new FlareError("aggregate/masked-invalid", `What ${quoted(contributor)} sent ${what}.`, { facts: { contributor } });
  const text = found.metadata[maskedKey];
  if (text === undefined) throw invalid(`is no masked update: its metadata lacks ${maskedKey}`);
  if (text !== wanted.metadata[maskedKey])
    throw invalid("was masked for another round: the kind of updates, the scale or the largest weight differ");
  const isSame = wanted.tensors.every(({ name, dtype, shape }, i) => {
    const tensor = found.tensors[i];
    return tensor?.name === name && tensor.dtype === dtype && tensor.shape.join() === shape.join();
  });
  if (!isSame || found.tensors.length !== wanted.tensors.length)
    throw invalid("does not have the words and tensors of the model, in its order");
}
