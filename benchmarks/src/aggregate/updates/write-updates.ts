import { link, statfs } from "node:fs/promises";
import { join } from "node:path";
import { dtypeBytes, type TensorSpec, writeSafetensors } from "@flare-ts/aggregator";
import { FlareError } from "@flare-ts/contracts/errors";
import { elementCount, type FloatDtype, isFloat, tensorBytes } from "../layouts/float-dtype.ts";
import { fillValues } from "./fill-values.ts";

export interface WriteUpdatesInit {
  /** Existing folder. */
  readonly folder: string;
  readonly tensors: readonly TensorSpec[];
  readonly dtype: FloatDtype;
  readonly count: number;
  /** Files with contents of their own; the others are further names of these. */
  readonly distinct: number;
  readonly signal: AbortSignal;
}

/** Writes updates of random values and gives their paths. @throws `file/unwritable`, `internal/aborted` */
export async function writeUpdates({ folder, tensors, dtype, count, distinct, signal }: WriteUpdatesInit): Promise<readonly string[]> {
  const paths = Array.from({ length: count }, (_, i) => join(folder, `${i}.safetensors`));
  for (const [i, path] of paths.entries()) {
    const first = paths[i % distinct];
    if (i >= distinct && first !== undefined) await link(first, path);
    else await writeSafetensors(path, tensors, chunksOf(tensors, dtype, i + 1), { isDurable: false, signal });
  }
  return paths;
}

/**
 * How many files of their own there is room for: all, or as many as leave a fifth of the free space alone, beside a result of the
 * same size.
 *
 * @throws `file/unwritable` when there is no room for two
 */
export async function distinctFiles(folder: string, tensors: readonly TensorSpec[], count: number): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  const fileBytes = tensorBytes(tensors);
  const room = Math.floor((0.8 * bavail * bsize) / fileBytes) - 1;
  const fitting = Math.min(count, room);
  if (fitting >= Math.min(2, count)) return fitting;
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  const needed = ((Math.min(2, count) + 1) * fileBytes) / 0.8;
  throw new FlareError(
    "file/unwritable",
    `${folder} has ${gigabytes(bavail * bsize)} free; updates of ${gigabytes(fileBytes)} need ${gigabytes(needed)}. Name a folder on another disk with --folder.`,
    { facts: { folder, freeBytes: bavail * bsize, neededBytes: Math.ceil(needed) } },
  );
}

function* chunksOf(tensors: readonly TensorSpec[], dtype: FloatDtype, seed: number): Generator<Uint8Array> {
  const elementsAtOnce = 262_144;
  const buffer = new ArrayBuffer(4 * elementsAtOnce);
  let state = seed;
  for (const tensor of tensors) {
    const count = elementCount(tensor);
    const bytes = dtypeBytes[tensor.dtype];
    if (!isFloat(tensor)) {
      yield new Uint8Array(count * bytes);
      continue;
    }
    for (let done = 0; done < count; done += elementsAtOnce) {
      const some = Math.min(elementsAtOnce, count - done);
      state = fillValues[dtype](buffer, some, state);
      yield new Uint8Array(buffer, 0, some * bytes);
    }
  }
}
