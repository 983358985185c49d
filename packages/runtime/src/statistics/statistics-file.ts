import { readFileSync } from "node:fs";
import { FlareError, limits } from "@flare-ts/contracts/errors";
import { findOneTensor, oneTensorHeader, withJobFile } from "../job/one-tensor-file.js";

/** Name of the one tensor of a file of statistics: the bytes of a JSON document. */
export const statisticsTensor = "flare.statistics";

/**
 * Whether a file holds statistics and no model: a safetensors file with that tensor and no other. Nothing is said of what the document holds.
 *
 * @throws what the file system says
 */
export function holdsStatistics(path: string): boolean {
  return withJobFile(path, (file, size) => findOneTensor(file, size, statisticsTensor) !== undefined);
}

/**
 * The document of a file of statistics.
 *
 * @throws FlareError `client-api/result-invalid` for what is none, or longer than `limits.statisticsBytes`; what the file system says
 */
export function readStatistics(path: string): unknown {
  return withJobFile(path, (file, size) => {
    const found = findOneTensor(file, size, statisticsTensor);
    if (found === undefined) throw invalid(`The file is no safetensors file with the one tensor '${statisticsTensor}'.`);
    if (size > limits.statisticsBytes) throw invalid(`Statistics of ${size} bytes are beyond the limit of ${limits.statisticsBytes}.`);
    try {
      return JSON.parse(readFileSync(file).toString("utf8", found.start));
    } catch {
      throw invalid("The statistics are no JSON document.");
    }
  });
}

/** A file of statistics. */
export function encodeStatistics(document: unknown): Uint8Array {
  const data = Buffer.from(JSON.stringify(document), "utf8");
  return Buffer.concat([oneTensorHeader(statisticsTensor, [data.byteLength]), data]);
}

function invalid(message: string): FlareError {
  return new FlareError("client-api/result-invalid", message);
}
