import { closeSync, openSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { pointBytes, readPoints, readPsiFile } from "./psi-file.js";
import { select } from "./shuffle.js";

/** Points that are looked at in one pass over all files: what memory is needed, a hundred bytes for each, depends on this alone. */
const pointsOfPass = 256 * 1024;
const pointsOfRead = 32 * 1024;

/**
 * Compares lists of points that all sites have blinded: which of each are in all of them. The smallest list is gone through in parts, and for each
 * part all others are read, so lists may be larger than memory.
 *
 * @returns for each list, in their order, a bit for each of its points
 * @throws FlareError `client-api/result-invalid`, what the file system says
 */
export async function compareBlinded(paths: readonly string[], pass: number = pointsOfPass): Promise<readonly Uint8Array[]> {
  const counts = paths.map((path) => readPsiFile(path, "points").count);
  const selections = counts.map((count) => new Uint8Array(Math.ceil(count / 8)));
  const smallest = counts.indexOf(Math.min(...counts));
  const others = paths.map((_, list) => list).filter((list) => list !== smallest);
  for (let from = 0; from < (counts[smallest] ?? 0); from += pass) {
    const found = new Map<string, number[]>();
    await eachPoint(paths[smallest] ?? "", { from, to: from + pass }, (point, index) => {
      if (!found.has(point)) found.set(point, [index]);
    });
    for (const [before, list] of others.entries()) {
      await eachPoint(paths[list] ?? "", {}, (point, index) => {
        const places = found.get(point);
        // One that a list before lacks is in the intersection no more, and one that a list has twice is there once.
        if (places?.length === 1 + before) places.push(index);
      });
    }
    const lists = [smallest, ...others];
    for (const places of found.values()) {
      if (places.length === lists.length) lists.forEach((list, i) => select(selections[list] ?? new Uint8Array(), places[i] ?? 0));
    }
  }
  return selections;
}

async function eachPoint(
  path: string,
  { from = 0, to = Number.POSITIVE_INFINITY }: { readonly from?: number; readonly to?: number },
  visit: (point: string, index: number) => void,
): Promise<void> {
  const { count, start } = readPsiFile(path, "points");
  const end = Math.min(count, to);
  const buffer = Buffer.alloc(Math.min(pointsOfRead, Math.max(0, end - from)) * pointBytes);
  const file = openSync(path, "r");
  try {
    for (let index = from; index < end; ) {
      const wanted = Math.min(pointsOfRead, end - index) * pointBytes;
      readPoints(file, buffer.subarray(0, wanted), { start, from: index });
      for (let at = 0; at < wanted; at += pointBytes, index += 1) visit(buffer.toString("latin1", at, at + pointBytes), index);
      // The job process hears its parent between two reads.
      await setImmediate();
    }
  } finally {
    closeSync(file);
  }
}
