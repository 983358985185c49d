import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { FlareError, limits } from "@flare-ts/contracts/errors";

/** Name of the one tensor of a file of statistics: the bytes of a JSON document. */
export const statisticsTensor = "flare.statistics";

/** A header that names that tensor alone is shorter. */
const mostHeaderBytes = 4096;

/**
 * Whether a file holds statistics and no model: a safetensors file with that tensor and no other. Nothing is said of what the document holds.
 *
 * @throws what the file system says
 */
export function holdsStatistics(path: string): boolean {
  return withFile(path, (file, size) => placeOf(file, size) !== undefined);
}

/**
 * The document of a file of statistics.
 *
 * @throws FlareError `client-api/result-invalid` for what is none, or longer than `limits.statisticsBytes`; what the file system says
 */
export function readStatistics(path: string): unknown {
  return withFile(path, (file, size) => {
    const start = placeOf(file, size);
    if (start === undefined) throw invalid(`The file is no safetensors file with the one tensor '${statisticsTensor}'.`);
    if (size > limits.statisticsBytes) throw invalid(`Statistics of ${size} bytes are beyond the limit of ${limits.statisticsBytes}.`);
    try {
      return JSON.parse(readFileSync(file, "utf8"));
    } catch {
      throw invalid("The statistics are no JSON document.");
    }
  });
}

/** A file of statistics. */
export function encodeStatistics(document: unknown): Uint8Array {
  const data = Buffer.from(JSON.stringify(document), "utf8");
  const header = JSON.stringify({ [statisticsTensor]: { dtype: "U8", shape: [data.byteLength], data_offsets: [0, data.byteLength] } });
  const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, Buffer.from(padded, "latin1"), data]);
}

/** Where the document begins; `undefined` for a file of something else. The file is then read from there on. */
function placeOf(file: number, size: number): number | undefined {
  const head = Buffer.alloc(8);
  if (readSync(file, head, 0, 8, null) < 8) return undefined;
  const length = head.readBigUInt64LE();
  if (length > BigInt(mostHeaderBytes) || BigInt(size) < length + 8n) return undefined;
  const header = Buffer.alloc(Number(length));
  readSync(file, header, 0, header.byteLength, null);
  const start = 8 + header.byteLength;
  return isHeader(header.toString("utf8"), size - start) ? start : undefined;
}

function isHeader(text: string, bytes: number): boolean {
  try {
    const { __metadata__: _, ...tensors } = JSON.parse(text) as Record<string, { dtype?: unknown; data_offsets?: unknown }>;
    const tensor = tensors[statisticsTensor];
    const [from, to] = Array.isArray(tensor?.data_offsets) ? (tensor.data_offsets as unknown[]) : [];
    return Object.keys(tensors).length === 1 && tensor?.dtype === "U8" && from === 0 && to === bytes;
  } catch {
    return false;
  }
}

function withFile<Result>(path: string, work: (file: number, size: number) => Result): Result {
  // Job code may have put something else in its place, which must not be waited for.
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = fstatSync(file);
    return work(file, found.isFile() ? found.size : 0);
  } finally {
    closeSync(file);
  }
}

function invalid(message: string): FlareError {
  return new FlareError("client-api/result-invalid", message);
}
