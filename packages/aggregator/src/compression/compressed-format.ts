import { FlareError, limits } from "@flare-ts/contracts/errors";
import { quoted } from "../peer-text.js";
import type { SafetensorsLayout } from "../safetensors/layout.js";

/*
 * A compressed update is a safetensors file that says so in its metadata, `flare.compressed` = `1`. Tensors that the model has
 * as F32 may then be stored as F16 or BF16; as I8 with one F32 scale for each block of elements, in `<name>::scale`; or, where
 * most elements are zero, as those that are not, with their I32 indices, ascending, in `<name>::indices`. Everything else is
 * as in any update.
 */

/** Metadata that marks a compressed update; its value is the version. */
export const compressedKey = "flare.compressed";
const version = "1";

/** Metadata with the number of elements that share a scale. */
const int8BlockKey = "flare.int8-block";

/** Elements that share a scale unless something else is asked for: scales then add 1.6% to the bytes. */
export const defaultInt8Block = 256;

/** Blocks of scales are powers of two in this range, so that they never lie across two blocks of the sums. */
export const int8Blocks = Object.freeze({ least: limits.int8BlockLeast, most: limits.int8BlockMost });

export const scalesName = (tensor: string): string => `${tensor}::scale`;
export const indicesName = (tensor: string): string => `${tensor}::indices`;

/** How a file is compressed; `undefined` where it does not say so. @throws `aggregate/compression-invalid` */
export function compressionOf({ metadata }: SafetensorsLayout): { readonly int8Block: number } | undefined {
  const given = metadata[compressedKey];
  if (given === undefined) return undefined;
  if (given !== version) {
    throw new FlareError("aggregate/compression-invalid", `The compression ${quoted(given)} is not known; this is version ${version}.`, {
      facts: { compression: given.slice(0, limits.peerTextChars) },
    });
  }
  const text = metadata[int8BlockKey] ?? String(defaultInt8Block);
  const int8Block = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (!isInt8Block(int8Block)) {
    throw new FlareError(
      "aggregate/compression-invalid",
      `Scales for blocks of ${quoted(text)} elements; powers of two from ${int8Blocks.least} to ${int8Blocks.most} are known.`,
      {
        facts: { block: text.slice(0, limits.peerTextChars) },
      },
    );
  }
  return { int8Block };
}

/** Whether so many elements may share a scale. */
export function isInt8Block(elements: number): boolean {
  return elements >= int8Blocks.least && elements <= int8Blocks.most && Number.isInteger(Math.log2(elements));
}

/** The metadata of a compressed update. */
export function compressedMetadata(int8Block: number): Readonly<Record<string, string>> {
  return { [compressedKey]: version, [int8BlockKey]: String(int8Block) };
}
