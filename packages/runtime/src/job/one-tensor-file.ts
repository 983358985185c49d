import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/** A header that names one tensor alone is shorter. */
const mostHeaderBytes = 4096;

/** The one tensor of a safetensors file of bytes. */
export interface OneTensor {
  readonly shape: readonly unknown[];
  /** Where its data begin in the file; they go on to its end. */
  readonly start: number;
  readonly bytes: number;
}

/** What a safetensors file begins with that has one tensor of bytes and nothing else; the data follow. */
export function oneTensorHeader(name: string, shape: readonly number[]): Uint8Array {
  const bytes = shape.reduce((product, length) => product * length, 1);
  const header = JSON.stringify({ [name]: { dtype: "U8", shape, data_offsets: [0, bytes] } });
  const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, Buffer.from(padded, "latin1")]);
}

/** The tensor of an open file, where that is a safetensors file with this tensor of bytes and no other; `undefined` for any other file. */
export function findOneTensor(file: number, size: number, name: string): OneTensor | undefined {
  const head = Buffer.alloc(8);
  if (size < head.byteLength || readSync(file, head, 0, head.byteLength, 0) < head.byteLength) return undefined;
  const length = head.readBigUInt64LE();
  if (length > BigInt(mostHeaderBytes) || BigInt(size) < length + 8n) return undefined;
  const header = Buffer.alloc(Number(length));
  readSync(file, header, 0, header.byteLength, 8);
  const start = 8 + header.byteLength;
  const shape = shapeIn(header.toString("utf8"), name, size - start);
  return shape === undefined ? undefined : { shape, start, bytes: size - start };
}

/** Opens a file that job code may have put something else in the place of, which must not be waited for; what is no file has no bytes. */
export function withJobFile<Result>(path: string, work: (file: number, size: number) => Result): Result {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = fstatSync(file);
    return work(file, found.isFile() ? found.size : 0);
  } finally {
    closeSync(file);
  }
}

function shapeIn(text: string, name: string, bytes: number): readonly unknown[] | undefined {
  try {
    const { __metadata__: _, ...tensors } = JSON.parse(text) as Record<
      string,
      { dtype?: unknown; shape?: unknown; data_offsets?: unknown }
    >;
    const tensor = tensors[name];
    const [from, to] = listOf(tensor?.data_offsets);
    const isIt = Object.keys(tensors).length === 1 && tensor?.dtype === "U8" && from === 0 && to === bytes;
    return isIt ? listOf(tensor.shape) : undefined;
  } catch {
    return undefined;
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
