import type { FileHandle } from "node:fs/promises";
import { limits } from "@flare-ts/contracts";
import type { Chunk, ChunkForm, PackedPiece } from "../transport/connection.js";
import type { BaseStretch } from "./base-map.js";
import type { CompressionChoice } from "./compression-choice.js";
import type { PieceReader, ReadPiece } from "./shared-reads.js";

export interface PackObjectComponents {
  readonly reader: PieceReader;
  /** An older object that the receiver holds too, and where the bytes may lie in it. */
  readonly base?: { readonly file: FileHandle; readonly stretches: readonly BaseStretch[] } | undefined;
  /** Where it is left out nothing is compressed. */
  readonly compression?: CompressionChoice | undefined;
}

export interface PackObjectInit {
  readonly size: number;
  /** Where to begin. */
  readonly offset: number;
  /** What the receiver reads besides plain data. */
  readonly forms: readonly ChunkForm[];
  readonly signal?: AbortSignal | undefined;
}

/** Bytes that are looked at together: what differs, or is zero, in smaller pieces is sent as it is. */
const blockBytes = 64 * 1024;
/** So much of a piece is compared first; where nothing of the piece before was the same, it mostly differs here already. */
const probeBytes = 4 * 1024;

/**
 * The chunks of an object from an offset on, in order and without a gap: what the receiver holds and zeros are named instead
 * of sent, and the rest is compressed where that pays. Nothing is taken for the same that was not compared byte by byte.
 * Memory is some chunks, whatever the size.
 */
export async function* packObject(components: PackObjectComponents, init: PackObjectInit): AsyncGenerator<Chunk, void, undefined> {
  const { reader } = components;
  const { size, signal } = init;
  let run: Run | undefined;
  let position = init.offset;
  const packer = new PiecePacker(components, init);
  const read = (from: number): Promise<ReadPiece> => quiet(reader.read(from, endOfPiece(from, size)));
  let ahead: Promise<ReadPiece> | undefined;
  try {
    while (position < size) {
      const piece: ReadPiece = await (ahead ?? read(position));
      const { bytes } = piece;
      const next = position + bytes.byteLength;
      ahead = next < size && reader.mayReadAhead() ? read(next) : undefined;
      signal?.throwIfAborted();
      const uses = new PieceUses(piece);
      for await (const packed of packer.pack(bytes, position)) {
        const chunk = uses.count(packed);
        const joined: Run | undefined = run === undefined ? undefined : joinRuns(run, chunk);
        if (joined !== undefined) {
          run = joined;
          continue;
        }
        if (run !== undefined) yield run;
        run = isRun(chunk) ? chunk : undefined;
        if (run === undefined) yield chunk;
      }
      uses.release();
      position = next;
    }
    if (run !== undefined) yield run;
  } finally {
    await ahead?.catch(() => undefined);
  }
}

/** Gives a piece back when every chunk that shows its bytes was used up, and nothing more is cut from it. */
class PieceUses {
  readonly #piece: ReadPiece;
  #open = 1;

  constructor(piece: ReadPiece) {
    this.#piece = piece;
  }

  /** The chunk, with a use of the piece if it shows some of its bytes. */
  count(chunk: Chunk): Chunk {
    if (chunk.packed !== undefined) return chunk;
    this.#open += 1;
    return { ...chunk, release: () => this.release() };
  }

  release(): void {
    this.#open -= 1;
    if (this.#open === 0) this.#piece.release();
  }
}

/** A chunk that holds no bytes, but stands for some. */
interface Run extends Chunk {
  readonly packed: PackedPiece & { readonly form: "zeros" | "copy" };
}

function isRun(chunk: Chunk): chunk is Run {
  return chunk.packed !== undefined && chunk.packed.form !== "zstd";
}

/** Both in one, where the second goes on where the first ends; nothing where it does not, or both are more than one may be. */
function joinRuns(first: Run, second: Chunk): Run | undefined {
  if (!isRun(second) || first.packed.form !== second.packed.form) return undefined;
  const length = first.packed.length + second.packed.length;
  if (length > limits.chunkRunBytes) return undefined;
  if (first.packed.form === "zeros") return { ...first, packed: { form: "zeros", length } };
  const isNext = second.packed.form === "copy" && first.packed.from + first.packed.length === second.packed.from;
  return isNext ? { ...first, packed: { form: "copy", from: first.packed.from, length } } : undefined;
}

/** Cuts pieces of at most a chunk into what is sent and what is not. */
class PiecePacker {
  readonly #components: PackObjectComponents;
  readonly #forms: ReadonlySet<ChunkForm>;
  readonly #stretches: readonly BaseStretch[];
  #stretch = 0;
  #wasSame = true;

  constructor(components: PackObjectComponents, init: PackObjectInit) {
    this.#components = components;
    this.#forms = new Set(init.forms);
    this.#stretches = this.#forms.has("copy") ? (components.base?.stretches ?? []) : [];
  }

  async *pack(bytes: Buffer, offset: number): AsyncGenerator<Chunk, void, undefined> {
    let begin = 0;
    while (begin < bytes.byteLength) {
      const { stretch, until } = this.#stretchAt(offset + begin, offset + bytes.byteLength);
      const part = bytes.subarray(begin, until - offset);
      const at = offset + begin;
      if (stretch === undefined) yield* this.#packNew(part, at);
      else yield* this.#packAgainst(part, at, stretch.from + (at - stretch.begin), stretch.end);
      begin = until - offset;
    }
  }

  /** The stretch at a place, if there is one, and how far that goes. */
  #stretchAt(at: number, end: number): { readonly stretch: BaseStretch | undefined; readonly until: number } {
    for (let one = this.#stretches[this.#stretch]; one !== undefined && one.end <= at; one = this.#stretches[this.#stretch])
      this.#stretch += 1;
    const stretch = this.#stretches[this.#stretch];
    if (stretch === undefined || stretch.begin >= end) return { stretch: undefined, until: end };
    if (stretch.begin > at) return { stretch: undefined, until: stretch.begin };
    return { stretch, until: Math.min(end, stretch.end) };
  }

  async *#packAgainst(bytes: Buffer, offset: number, from: number, nextTensor: number): AsyncGenerator<Chunk, void, undefined> {
    const same = await this.#sameBlocks(bytes, from);
    let newFrom = 0;
    for (const begin of same) {
      const end = Math.min(bytes.byteLength, begin + blockBytes);
      if (newFrom < begin) yield* this.#packNew(bytes.subarray(newFrom, begin), offset + newFrom, nextTensor);
      yield { offset: offset + begin, data: none, packed: { form: "copy", from: from + begin, length: end - begin } };
      newFrom = end;
    }
    if (newFrom < bytes.byteLength) yield* this.#packNew(bytes.subarray(newFrom), offset + newFrom, nextTensor);
  }

  /** Where the blocks begin that the base has too. */
  async #sameBlocks(bytes: Buffer, from: number): Promise<readonly number[]> {
    const old = await this.#readOld(bytes, from);
    if (old === undefined) return [];
    const same: number[] = [];
    for (let begin = 0; begin < bytes.byteLength; begin += blockBytes) {
      const end = begin + blockBytes;
      if (bytes.subarray(begin, end).equals(old.bytes.subarray(begin, end))) same.push(begin);
    }
    // Before anything is sent, which may take long.
    old.release();
    if (same.length > 0) this.#wasSame = true;
    return same;
  }

  /** The bytes of the base, unless the first of them differ and nothing before was the same. */
  async #readOld(bytes: Buffer, from: number): Promise<ReadPiece | undefined> {
    const { base, reader } = this.#components;
    if (base === undefined) return undefined;
    if (!this.#wasSame) {
      const probe = bytes.subarray(0, probeBytes);
      const old = await reader.readOf(base.file, from, from + probe.byteLength);
      const isSame = probe.equals(old.bytes);
      old.release();
      if (!isSame) return undefined;
    }
    this.#wasSame = false;
    return await reader.readOf(base.file, from, from + bytes.byteLength);
  }

  async *#packNew(bytes: Buffer, offset: number, nextTensor = Number.POSITIVE_INFINITY): AsyncGenerator<Chunk, void, undefined> {
    if (!this.#forms.has("zeros")) {
      yield await this.#packData(bytes, offset, nextTensor);
      return;
    }
    let dataFrom = 0;
    let end = 0;
    for (let begin = 0; begin < bytes.byteLength; begin = end) {
      end = Math.min(bytes.byteLength, begin + blockBytes);
      if (!isZero(bytes.subarray(begin, end))) continue;
      if (dataFrom < begin) yield await this.#packData(bytes.subarray(dataFrom, begin), offset + dataFrom, nextTensor);
      yield { offset: offset + begin, data: none, packed: { form: "zeros", length: end - begin } };
      dataFrom = end;
    }
    if (dataFrom < bytes.byteLength) yield await this.#packData(bytes.subarray(dataFrom), offset + dataFrom, nextTensor);
  }

  async #packData(bytes: Buffer, offset: number, nextTensor: number): Promise<Chunk> {
    const { compression } = this.#components;
    const packed = this.#forms.has("zstd") ? await compression?.compress(bytes, offset, nextTensor) : undefined;
    const chunk: Chunk =
      packed === undefined ? { offset, data: bytes } : { offset, data: packed, packed: { form: "zstd", length: bytes.byteLength } };
    compression?.noteSent(chunk.data.byteLength);
    return chunk;
  }
}

const none = Buffer.alloc(0);
const zeroBlock = Buffer.alloc(blockBytes);

function isZero(bytes: Buffer): boolean {
  return bytes.equals(bytes.byteLength === blockBytes ? zeroBlock : zeroBlock.subarray(0, bytes.byteLength));
}

function endOfPiece(offset: number, size: number): number {
  return Math.min(size, offset - (offset % limits.chunkBytes) + limits.chunkBytes);
}

function quiet<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}
