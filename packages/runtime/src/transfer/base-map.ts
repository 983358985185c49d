import type { FileHandle } from "node:fs/promises";
import { readSafetensorsHeader, type SafetensorsLayout } from "@flare-ts/aggregator/safetensors";
import { FlareError } from "@flare-ts/contracts";

/** A stretch of an object whose bytes lie in one piece in its base, if they have not changed. */
export interface BaseStretch {
  /** First byte of the object, and the one behind the last. */
  readonly begin: number;
  readonly end: number;
  /** Where `begin` lies in the base. */
  readonly from: number;
}

/** Stretches that are not worth a look into the base. */
const leastStretchBytes = 64 * 1024;

/**
 * Says where the bytes of an object may be found in its base: tensors of the same name, element type and shape, wherever they
 * lie. Files that are no safetensors, and tensors without a counterpart, have no stretches.
 */
export async function mapOntoBase(object: FileHandle, base: FileHandle): Promise<readonly BaseStretch[]> {
  const layouts = await Promise.all([layoutOf(object), layoutOf(base)]);
  const [own, old] = layouts;
  if (own === undefined || old === undefined) return [];
  return stretchesOf(own, old);
}

/** The stretches of two layouts, in order; neighbours that were neighbours in the base are one. */
function stretchesOf(own: SafetensorsLayout, old: SafetensorsLayout): readonly BaseStretch[] {
  const oldTensors = new Map(old.tensors.map((tensor) => [tensor.name, tensor]));
  const stretches: BaseStretch[] = [];
  // The header is one more piece: of models of one family it is mostly the same.
  if (own.dataOffset === old.dataOffset) stretches.push({ begin: 0, end: own.dataOffset, from: 0 });
  for (const { name, dtype, shape, byteOffset, byteLength } of own.tensors) {
    const twin = oldTensors.get(name);
    if (twin === undefined || twin.dtype !== dtype || twin.byteLength !== byteLength || String(twin.shape) !== String(shape)) continue;
    const begin = own.dataOffset + byteOffset;
    const from = old.dataOffset + twin.byteOffset;
    const last = stretches.at(-1);
    if (last !== undefined && last.end === begin && last.from + (last.end - last.begin) === from)
      stretches[stretches.length - 1] = { ...last, end: begin + byteLength };
    else stretches.push({ begin, end: begin + byteLength, from });
  }
  return stretches.filter(({ begin, end }) => end - begin >= leastStretchBytes);
}

async function layoutOf(file: FileHandle): Promise<SafetensorsLayout | undefined> {
  try {
    return await readSafetensorsHeader(file);
  } catch (error) {
    if (error instanceof FlareError) return undefined;
    throw error;
  }
}
