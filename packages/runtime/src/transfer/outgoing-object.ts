import { type FileHandle, open } from "node:fs/promises";
import type { ModelStore, ObjectRef } from "../store/model-store.js";
import type { Chunk, ChunkForm } from "../transport/connection.js";
import { mapOntoBase } from "./base-map.js";
import { CompressionChoice } from "./compression-choice.js";
import { packObject } from "./pack-object.js";
import type { SharedReads } from "./shared-reads.js";

export interface OutgoingObjectComponents {
  readonly store: ModelStore;
  readonly reads: SharedReads;
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
}

export interface OutgoingObjectInit {
  readonly object: ObjectRef;
  readonly offset: number;
  /** What the receiver reads besides plain data. */
  readonly forms: readonly ChunkForm[];
  /** An object that the receiver holds; copies name it where this side holds it too. */
  readonly base?: ObjectRef | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The chunks of an object of the store, the first of which names the base if there is one.
 *
 * @throws FlareError `transfer/object-missing`, `transfer/wrong-offset`
 */
export async function* outgoingObject(
  { store, reads, now }: OutgoingObjectComponents,
  { object, offset, forms, base, signal }: OutgoingObjectInit,
): AsyncGenerator<Chunk, void, undefined> {
  const file = await store.open(object.hash);
  const reader = reads.open(object, file);
  let baseFile: FileHandle | undefined;
  try {
    const wanted = forms.includes("copy") && offset < object.size && base !== undefined && base.hash !== object.hash ? base : undefined;
    baseFile = wanted === undefined ? undefined : await openHeld(store, wanted);
    const stretches = baseFile === undefined ? [] : await mapOntoBase(file, baseFile);
    const isOfUse = baseFile !== undefined && stretches.length > 0;
    const chunks = packObject(
      {
        reader,
        base: baseFile === undefined ? undefined : { file: baseFile, stretches },
        compression: new CompressionChoice({ now }),
      },
      { size: object.size, offset, forms, signal },
    );
    let isFirst = true;
    for await (const chunk of chunks) {
      yield isFirst && isOfUse && wanted !== undefined ? { ...chunk, base: wanted.hash } : chunk;
      isFirst = false;
    }
  } finally {
    reader.close();
    await Promise.all([file.close(), baseFile?.close()]);
  }
}

/** Opens an object of the store for reading, if it is there in the size that was named. */
export async function openHeld(store: ModelStore, { hash, size }: ObjectRef): Promise<FileHandle | undefined> {
  const held = await store.find(hash);
  if (held === undefined || held.size !== size) return undefined;
  return await open(held.path, "r").catch(() => undefined);
}
