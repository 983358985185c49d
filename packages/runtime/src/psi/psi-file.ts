import { readSync } from "node:fs";
import { FlareError } from "@flare-ts/contracts/errors";
import { findOneTensor, oneTensorHeader, withJobFile } from "../job/one-tensor-file.js";

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

/** What a file of an intersection has; `undefined` for a file of something else. @throws what the file system says */
export function findPsiFile(path: string): PsiFile | undefined {
  const found = withJobFile(path, (file, size) => findOneTensor(file, size, psiTensor));
  if (found === undefined) return undefined;
  const { start, bytes } = found;
  const [count, width, ...more] = found.shape;
  if (typeof count !== "number" || more.length > 0) return undefined;
  if (width === undefined) return count === bytes ? { kind: "selection", count, start } : undefined;
  return width === pointBytes && count * pointBytes === bytes ? { kind: "points", count, start } : undefined;
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
  return oneTensorHeader(psiTensor, kind === "points" ? [count, pointBytes] : [count]);
}

/** Reads points from one on, as many as there is room for. @throws TypeError where the file has become shorter */
export function readPoints(file: number, into: Uint8Array, { start, from }: { readonly start: number; readonly from: number }): void {
  if (readSync(file, into, 0, into.byteLength, start + from * pointBytes) < into.byteLength)
    throw new TypeError("a file of points has become shorter");
}

/** A file with a selection. */
export function selectionFile(selection: Uint8Array): Uint8Array {
  return Buffer.concat([psiHeader({ kind: "selection", count: selection.byteLength }), selection]);
}

/** What sites begin with, and what they end with: a selection of nothing. */
export const emptyPsiFile: Uint8Array = selectionFile(new Uint8Array());
