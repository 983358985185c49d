import { FlareError, limits } from "@flare-ts/contracts/errors";
import { throwIfAborted } from "../abort.js";
import { type ByteSource, openFileSource } from "../byte-source.js";
import { quoted } from "../peer-text.js";
import type { SafetensorsLayout, TensorPlace } from "../safetensors/layout.js";
import { readLayout } from "../safetensors/read-header.js";
import { subtractBytes } from "./subtract-bytes.js";

/** Elements that are looked at together; a multiple of every block of scales. */
const chunkElements = 65_536;

/** The most bytes that are read together. */
export const chunkBytes = 4 * chunkElements;

export interface ChunkReaderInit {
  /** Safetensors file of the update. */
  readonly source: string;
  /** Model that is subtracted from it, element by element; without it the update is read as it is. */
  readonly base?: string | undefined;
  /** Whether the base is subtracted; where it is not, the update must fit to it all the same. @default true */
  readonly isSubtracted?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Reads the tensors of an update chunk by chunk, or their differences to those of a model. */
export class ChunkReader {
  readonly #update: OpenFile;
  readonly #base: OpenFile | undefined;
  /** Tensors of the model, in the order of its file; empty without one. */
  readonly baseTensors: readonly TensorPlace[];
  readonly #signal: AbortSignal | undefined;

  private constructor(
    update: OpenFile,
    base: OpenFile | undefined,
    { isSubtracted = true, signal }: Omit<ChunkReaderInit, "source" | "base">,
  ) {
    this.#update = update;
    this.#base = isSubtracted ? base : undefined;
    this.baseTensors = base?.layout.tensors ?? [];
    this.#signal = signal;
  }

  /** @throws `aggregate/safetensors-…`, `file/…`; `aggregate/unknown-tensor`, `aggregate/layout-mismatch` where the base has no such tensor */
  static async open({ source, base, ...rest }: ChunkReaderInit): Promise<ChunkReader> {
    const update = await openFile(source);
    try {
      const fitting = base === undefined ? undefined : await openBase(base, update);
      if (rest.isSubtracted === false) await fitting?.source.close();
      return new ChunkReader(update, fitting, rest);
    } catch (error) {
      await update.source.close();
      throw error;
    }
  }

  get layout(): SafetensorsLayout {
    return this.#update.layout;
  }

  /** Bytes of the update's file. */
  get size(): number {
    return this.#update.source.size;
  }

  /**
   * The bytes of a tensor, chunk by chunk.
   *
   * @param space - of `chunkBytes`: each chunk lies at its beginning, until the next one is asked for; without it each has memory of its own
   */
  async *bytes(tensor: TensorPlace, space?: Uint8Array<ArrayBuffer>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const { byteLength, dtype } = tensor;
    const base = this.#base?.tensors.get(tensor.name);
    for (let done = 0; done < byteLength; ) {
      throwIfAborted(this.#signal);
      const some = Math.min(chunkBytes, byteLength - done);
      const into = space?.subarray(0, some) ?? new Uint8Array(some);
      const [chunk, before] = await Promise.all([
        readAt(this.#update, tensor, done, into),
        this.#base === undefined || base === undefined ? undefined : readAt(this.#base, base, done, new Uint8Array(some)),
      ]);
      if (before !== undefined && !subtractBytes(dtype, chunk, before)) throw beyond(this.#update.source, tensor);
      yield chunk;
      done += some;
    }
  }

  /** The bytes of tensors, one after the other; each chunk lies where the one before lay, until the next one is asked for. */
  async *allBytes(tensors: readonly TensorPlace[]): AsyncGenerator<Uint8Array> {
    const space = new Uint8Array(chunkBytes);
    for (const tensor of tensors) yield* this.bytes(tensor, space);
  }

  /** @throws `aggregate/not-finite` */
  async *floats(tensor: TensorPlace): AsyncGenerator<Float32Array> {
    for await (const { buffer } of this.bytes(tensor)) {
      const values = new Float32Array(buffer);
      const wrong = firstNotFinite(values);
      if (wrong !== undefined) {
        const { label } = this.#update.source;
        throw new FlareError("aggregate/not-finite", `Tensor ${quoted(tensor.name)} of ${label} holds ${wrong}.`, {
          facts: { file: label, tensor: tensor.name.slice(0, limits.peerTextChars) },
        });
      }
      yield values;
    }
  }

  async close(): Promise<void> {
    await this.#update.source.close();
    await this.#base?.source.close();
  }
}

interface OpenFile {
  readonly source: ByteSource;
  readonly layout: SafetensorsLayout;
  readonly tensors: ReadonlyMap<string, TensorPlace>;
}

async function openFile(path: string): Promise<OpenFile> {
  const source = await openFileSource(path);
  try {
    const layout = await readLayout(source);
    return { source, layout, tensors: new Map(layout.tensors.map((tensor) => [tensor.name, tensor])) };
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function openBase(path: string, { layout, source }: OpenFile): Promise<OpenFile> {
  const base = await openFile(path);
  try {
    for (const { name, dtype, shape } of layout.tensors) {
      const before = base.tensors.get(name);
      const facts = { file: source.label, tensor: name.slice(0, limits.peerTextChars) };
      if (before === undefined) throw new FlareError("aggregate/unknown-tensor", `Tensor ${quoted(name)} is not in the model.`, { facts });
      if (before.dtype !== dtype || before.shape.join() !== shape.join()) {
        throw new FlareError("aggregate/layout-mismatch", `Tensor ${quoted(name)} is of another type or shape than in the model.`, {
          facts,
        });
      }
    }
    return base;
  } catch (error) {
    await base.source.close();
    throw error;
  }
}

async function readAt(
  { source, layout }: OpenFile,
  { byteOffset }: TensorPlace,
  from: number,
  into: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  await source.read(into, layout.dataOffset + byteOffset + from);
  return into;
}

function firstNotFinite(values: Float32Array): number | undefined {
  // A sum is finite unless something in it is not, or it overflows: then each value is looked at.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return Number.isFinite(sum) ? undefined : values.find((value) => !Number.isFinite(value));
}

function beyond({ label }: ByteSource, { name, dtype }: TensorPlace): FlareError {
  return new FlareError("aggregate/out-of-range", `The difference of tensor ${quoted(name)} of ${label} is beyond ${dtype}.`, {
    facts: { file: label, tensor: name.slice(0, limits.peerTextChars), dtype },
  });
}
