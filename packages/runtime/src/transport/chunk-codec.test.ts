import { randomBytes } from "node:crypto";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type ContentHash, FlareError } from "@flare-ts/contracts";
import { ChunkSchema } from "@flare-ts/contracts/wire";
import { describe, expect, it } from "vitest";
import { decodeChunk, encodeChunk } from "./chunk-codec.js";
import type { Chunk } from "./connection.js";

const hash = "ab".repeat(32) as ContentHash;
const sizes = [0, 1, 127, 128, 16_383, 16_384, 2 ** 31 - 1, 2 ** 32, 2 ** 32 + 5, 2 ** 53 - 1];
const samples: readonly Chunk[] = [
  ...sizes.map((size) => ({ object: { hash, size }, offset: 0, data: randomBytes(3) })),
  ...sizes.map((offset) => ({ offset, data: randomBytes(200) })),
  { offset: 0, data: Buffer.alloc(0) },
  { object: { hash, size: 5_000_000_000 }, offset: 4_999_000_000, data: randomBytes(1024 * 1024) },
];

/** The bytes as grpc-js lets the chunk write them into its frame. */
function bytesOf(chunk: Chunk): Buffer {
  const fused = encodeChunk(chunk);
  const frame = Buffer.alloc(fused.byteLength + 5);
  fused.copy(frame, 5);
  return frame.subarray(5);
}

describe("the codec of chunks", () => {
  it("writes what the generated decoder reads", () => {
    for (const chunk of samples) {
      const message = fromBinary(ChunkSchema, bytesOf(chunk));
      expect(message.hash).toBe(chunk.object?.hash ?? "");
      expect(Number(message.totalSize)).toBe(chunk.object?.size ?? 0);
      expect(Number(message.offset)).toBe(chunk.offset);
      expect(Buffer.from(message.data)).toEqual(chunk.data);
    }
  });

  it("writes byte for byte what the generated encoder writes", () => {
    for (const chunk of samples) expect(bytesOf(chunk)).toEqual(Buffer.from(toBinary(ChunkSchema, generated(chunk))));
  });

  it("reads what the generated encoder writes", () => {
    for (const chunk of samples) {
      const read = decodeChunk(Buffer.from(toBinary(ChunkSchema, generated(chunk))));
      expect(read.object).toEqual(chunk.object);
      expect(read.offset).toBe(chunk.offset);
      expect(read.data).toEqual(chunk.data);
    }
  });

  it("writes and reads chunks that stand for bytes which they do not hold", () => {
    const base = "cd".repeat(32) as ContentHash;
    const packed: readonly Chunk[] = [
      { offset: 2 ** 32 + 5, data: Buffer.alloc(0), packed: { form: "zeros", length: 2 ** 26 } },
      { object: { hash, size: 2 ** 33 }, base, offset: 0, data: Buffer.alloc(0), packed: { form: "copy", length: 7, from: 2 ** 32 + 1 } },
      { offset: 9, data: randomBytes(300), packed: { form: "zstd", length: 4000 } },
    ];
    for (const chunk of packed) {
      expect(decodeChunk(Buffer.from(bytesOf(chunk)))).toEqual(chunk);
      const message = fromBinary(ChunkSchema, bytesOf(chunk));
      expect(message.base).toBe(chunk.base ?? "");
      expect(Number(message.length)).toBe(chunk.packed?.length);
      expect(Number(message.sourceOffset)).toBe(chunk.packed?.form === "copy" ? chunk.packed.from : 0);
      expect(decodeChunk(Buffer.from(toBinary(ChunkSchema, message)))).toEqual(chunk);
    }
    expect(() => decodeChunk(Buffer.from(toBinary(ChunkSchema, create(ChunkSchema, { form: 9, length: 1n }))))).toThrow(/form 9/);
  });

  it("skips fields that a later version may add", () => {
    const later = Buffer.from([
      (9 << 3) | 0,
      200,
      1,
      (10 << 3) | 2,
      2,
      7,
      7,
      (11 << 3) | 5,
      1,
      2,
      3,
      4,
      (12 << 3) | 1,
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
    ]);
    const chunk = { offset: 5, data: Buffer.from("data") };
    expect(decodeChunk(Buffer.concat([later, bytesOf(chunk), later]))).toEqual(chunk);
  });

  it("refuses whatever is cut off or makes no sense, and never hangs", () => {
    const whole = bytesOf({ object: { hash, size: 2 ** 40 }, offset: 2 ** 35, data: randomBytes(300) });
    const cuts = Array.from({ length: whole.byteLength }, (_, length) => codeOf(whole.subarray(0, length)));
    // A cut between two fields is a message of its own.
    expect(cuts.filter((code) => code === undefined)).toHaveLength(4);
    const noise = Array.from({ length: 2000 }, (_, i) => codeOf(randomBytes(1 + (i % 40))));
    expect(new Set([...cuts, ...noise])).toEqual(new Set([undefined, "transfer/protocol"]));
    expect(() => decodeChunk(bytesOf({ object: { hash: "../../etc" as ContentHash, size: 1 }, offset: 0, data: Buffer.alloc(0) }))).toThrow(
      /not a hash/,
    );
  });
});

/** The code of the error that decoding gives, or nothing. */
function codeOf(bytes: Buffer): unknown {
  try {
    decodeChunk(bytes);
    return undefined;
  } catch (error) {
    return error instanceof FlareError ? error.code : error;
  }
}

function generated({ object, offset, data }: Chunk): ReturnType<typeof create<typeof ChunkSchema>> {
  return create(ChunkSchema, { hash: object?.hash ?? "", totalSize: BigInt(object?.size ?? 0), offset: BigInt(offset), data });
}
