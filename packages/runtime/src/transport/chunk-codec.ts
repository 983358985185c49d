import { FlareError, isContentHash, limits } from "@flare-ts/contracts";
import type { Chunk, ChunkForm, PackedPiece } from "./connection.js";
import { prefixBytes, receivedMemory, sentMemory } from "./message-memory.js";
import { SlicedFrame, sliceBytes } from "./write-in-slices.js";

/**
 * Encodes the wire message `Chunk` without copying its data: grpc-js asks the result for its length and lets it copy
 * itself straight into the frame. It is typed as a Buffer because that is what grpc-js expects of a serialiser.
 */
export function encodeChunk(chunk: Chunk): Buffer {
  // grpc-js 1.14 uses no more of the result than `length`, `byteLength` and `copy`; a test sends chunks through it.
  return new FusedChunk(headerOf(chunk), chunk) as unknown as Buffer;
}

/**
 * Decodes the wire message `Chunk`; `data` is a view into `bytes`. Unknown fields are skipped, as protobuf demands.
 *
 * @throws FlareError `transfer/protocol`
 */
export function decodeChunk(bytes: Buffer): Chunk {
  const reader = { bytes, at: 0 };
  let hash = "";
  let size = 0;
  let offset = 0;
  let data = bytes.subarray(0, 0);
  let base = "";
  let form = 0;
  let length = 0;
  let from = 0;
  while (reader.at < bytes.byteLength) {
    const tag = readVarint(reader);
    switch (tag) {
      case hashTag:
        hash = readBytes(reader).toString("utf8");
        break;
      case sizeTag:
        size = readVarint(reader);
        break;
      case offsetTag:
        offset = readVarint(reader);
        break;
      case dataTag:
        data = readBytes(reader);
        break;
      case formTag:
        form = readVarint(reader);
        break;
      case lengthTag:
        length = readVarint(reader);
        break;
      case sourceTag:
        from = readVarint(reader);
        break;
      case baseTag:
        base = readBytes(reader).toString("utf8");
        break;
      default:
        skip(reader, tag & 7);
    }
  }
  const release = releaseOf(bytes);
  const piece: Chunk = {
    offset,
    data,
    ...(form === 0 ? {} : { packed: packedOf(form, length, from) }),
    ...(release === undefined ? {} : { release }),
  };
  if (hash === "" && base === "") return piece;
  if (hash !== "" && !isContentHash(hash)) throw broken("names an object by something that is not a hash");
  if (base !== "" && !isContentHash(base)) throw broken("names a base by something that is not a hash");
  return { ...piece, ...(isContentHash(hash) ? { object: { hash, size } } : {}), ...(isContentHash(base) ? { base } : {}) };
}

/** Lets the memory of a message serve again, once. */
function releaseOf(bytes: Buffer): (() => void) | undefined {
  if (!receivedMemory.isOwn(bytes)) return undefined;
  let isReleased = false;
  return () => {
    if (isReleased) return;
    isReleased = true;
    receivedMemory.giveBack(bytes);
  };
}

// Tags of the fields of `Chunk` in flare.proto: number << 3 | wire type.
const hashTag = (1 << 3) | 2;
const sizeTag = (2 << 3) | 0;
const offsetTag = (3 << 3) | 0;
const dataTag = (4 << 3) | 2;
const formTag = (5 << 3) | 0;
const lengthTag = (6 << 3) | 0;
const sourceTag = (7 << 3) | 0;
const baseTag = (8 << 3) | 2;

// Values of the field `form` in flare.proto.
const formNumbers: Readonly<Record<ChunkForm, number>> = { zeros: 1, copy: 2, zstd: 3 };

function packedOf(form: number, length: number, from: number): PackedPiece {
  if (form === formNumbers.copy) return { form: "copy", length, from };
  if (form === formNumbers.zeros) return { form: "zeros", length };
  if (form === formNumbers.zstd) return { form: "zstd", length };
  throw broken(`has the form ${form}, which was not asked for`);
}

/** A header and data that become one message only in the frame of grpc-js. */
export class FusedChunk {
  readonly length: number;
  readonly byteLength: number;
  readonly #header: Buffer;
  readonly #chunk: Chunk;

  constructor(header: Buffer, chunk: Chunk) {
    this.#header = header;
    this.#chunk = chunk;
    this.length = header.byteLength + chunk.data.byteLength;
    this.byteLength = this.length;
  }

  /**
   * The chunk as a framed message of gRPC. Of a whole chunk only the first slice is copied, and its memory is given back when it has gone
   * out. Shorter messages are copied whole: grpc-js says that they are written while it still keeps them, to repeat the call
   * (`retryBufferBytes`).
   */
  frame(): Buffer | SlicedFrame {
    const { data, release } = this.#chunk;
    const isKept = this.length <= retryBufferBytes;
    const headBytes = prefixBytes + this.#header.byteLength + (isKept ? data.byteLength : sliceBytes);
    const head = isKept ? Buffer.allocUnsafe(headBytes) : sentMemory.take(headBytes);
    head[0] = 0;
    head.writeUInt32BE(this.length, 1);
    this.#header.copy(head, prefixBytes);
    const copied = data.copy(head, prefixBytes + this.#header.byteLength);
    if (isKept) {
      release?.();
      return head;
    }
    return new SlicedFrame(head, data.subarray(copied), () => {
      sentMemory.giveBack(head);
      release?.();
    });
  }

  copy(target: Uint8Array, start: number): number {
    const { data, release } = this.#chunk;
    this.#header.copy(target, start);
    data.copy(target, start + this.#header.byteLength);
    release?.();
    return this.length;
  }
}

/** What grpc-js may keep of the messages of one call. Its own default, stated because whole chunks have to be longer. */
export const retryBufferBytes = limits.chunkBytes;

function headerOf({ object, base, offset, data, packed }: Chunk): Buffer {
  const header = Buffer.allocUnsafe(base === undefined ? 128 : 256);
  let at = 0;
  if (object !== undefined) {
    header[at++] = hashTag;
    header[at++] = object.hash.length;
    at += header.write(object.hash, at, "latin1");
    if (object.size > 0) {
      header[at++] = sizeTag;
      at = writeVarint(header, object.size, at);
    }
  }
  if (offset > 0) {
    header[at++] = offsetTag;
    at = writeVarint(header, offset, at);
  }
  // The order of fields is free; the data comes last, so that it need not be copied together with what stands around it.
  if (packed !== undefined) {
    header[at++] = formTag;
    header[at++] = formNumbers[packed.form];
    header[at++] = lengthTag;
    at = writeVarint(header, packed.length, at);
    if (packed.form === "copy") {
      header[at++] = sourceTag;
      at = writeVarint(header, packed.from, at);
    }
  }
  if (base !== undefined) {
    header[at++] = baseTag;
    header[at++] = base.length;
    at += header.write(base, at, "latin1");
  }
  if (data.byteLength > 0) {
    header[at++] = dataTag;
    at = writeVarint(header, data.byteLength, at);
  }
  return header.subarray(0, at);
}

interface Reader {
  readonly bytes: Buffer;
  at: number;
}

// Numbers up to 2^53: division instead of shifts, which JavaScript does on 32 bits only.
function writeVarint(target: Buffer, value: number, start: number): number {
  let at = start;
  let rest = value;
  while (rest >= 128) {
    target[at++] = (rest % 128) + 128;
    rest = Math.floor(rest / 128);
  }
  target[at++] = rest;
  return at;
}

function readVarint(reader: Reader): number {
  let value = 0;
  let factor = 1;
  for (let i = 0; i < 10; i++) {
    const byte = reader.bytes[reader.at++];
    if (byte === undefined) throw broken("ends in the middle of a number");
    value += (byte & 127) * factor;
    if (byte < 128) {
      if (!Number.isSafeInteger(value)) throw broken("holds a number over 2^53");
      return value;
    }
    factor *= 128;
  }
  throw broken("holds a number of more than ten bytes");
}

function readBytes(reader: Reader): Buffer {
  const length = readVarint(reader);
  const end = reader.at + length;
  if (end > reader.bytes.byteLength) throw broken("ends in the middle of a field");
  const bytes = reader.bytes.subarray(reader.at, end);
  reader.at = end;
  return bytes;
}

function skip(reader: Reader, wireType: number): void {
  if (wireType === 0) readVarint(reader);
  else if (wireType === 1) reader.at += 8;
  else if (wireType === 2) readBytes(reader);
  else if (wireType === 5) reader.at += 4;
  else throw broken(`holds a field of wire type ${wireType}`);
  if (reader.at > reader.bytes.byteLength) throw broken("ends in the middle of a field");
}

function broken(how: string): FlareError {
  return new FlareError("transfer/protocol", `A chunk ${how}.`);
}
