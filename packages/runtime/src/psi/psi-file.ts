import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { FlareError } from "@flare-ts/contracts/errors";

/** Name of the one tensor of a file of a private set intersection. */
const psiTensor = "flare.psi";

/** Bytes of a blinded identifier: the x coordinate of a point. */
export const pointBytes = 32;

/** What is in such a file: blinded identifiers, or a bit for each of them that says whether it is in the intersection. */
export interface PsiFile {
  readonly kind: "points" | "selection";
  /** Points, or bytes of a selection: eight points in each. */
  readonly count: number;
  /** Where the data begins in the file; they go on to its end. */
  readonly start: number;
}

/** A header that names that tensor alone is shorter. */
const mostHeaderBytes = 4096;

/** What a file of an intersection has; `undefined` for a file of something else. @throws what the file system says */
export function findPsiFile(path: string): PsiFile | undefined {
  // Job code may have put something else in its place, which must not be waited for.
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = fstatSync(file);
    return found.isFile() ? readHeader(file, found.size) : undefined;
  } finally {
    closeSync(file);
  }
}

/** The same of a file that must be one, of a kind. @throws FlareError `client-api/result-invalid` */
export function readPsiFile(path: string, kind: PsiFile["kind"]): PsiFile {
  const found = findPsiFile(path);
  if (found?.kind === kind) return found;
  throw new FlareError(
    "client-api/result-invalid",
    `The file holds no ${kind === "points" ? "blinded identifiers" : "selection"} of an intersection.`,
  );
}

/** What a file begins with; its data follow. */
export function psiHeader({ kind, count }: Pick<PsiFile, "kind" | "count">): Uint8Array {
  const [shape, bytes] = kind === "points" ? [[count, pointBytes], count * pointBytes] : [[count], count];
  const header = JSON.stringify({ [psiTensor]: { dtype: "U8", shape, data_offsets: [0, bytes] } });
  const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, Buffer.from(padded, "latin1")]);
}

/** What sites begin with, and what they end with: a selection of nothing. */
export const emptyPsiFile: Uint8Array = psiHeader({ kind: "selection", count: 0 });

function readHeader(file: number, size: number): PsiFile | undefined {
  const head = Buffer.alloc(8);
  if (readSync(file, head, 0, 8, 0) < 8) return undefined;
  const length = head.readBigUInt64LE();
  if (length > BigInt(mostHeaderBytes) || BigInt(size) < length + 8n) return undefined;
  const header = Buffer.alloc(Number(length));
  readSync(file, header, 0, header.byteLength, 8);
  const start = 8 + header.byteLength;
  return parseHeader(header.toString("utf8"), start, size - start);
}

function parseHeader(text: string, start: number, bytes: number): PsiFile | undefined {
  try {
    const { __metadata__: _, ...tensors } = JSON.parse(text) as Record<
      string,
      { dtype?: unknown; shape?: unknown; data_offsets?: unknown }
    >;
    const tensor = tensors[psiTensor];
    if (Object.keys(tensors).length !== 1 || tensor?.dtype !== "U8") return undefined;
    const [from, to] = listOf(tensor.data_offsets);
    const [count, width, ...more] = listOf(tensor.shape);
    if (typeof count !== "number" || more.length > 0 || from !== 0 || to !== bytes) return undefined;
    if (width === undefined) return count === bytes ? { kind: "selection", count, start } : undefined;
    return width === pointBytes && count * pointBytes === bytes ? { kind: "points", count, start } : undefined;
  } catch {
    return undefined;
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
