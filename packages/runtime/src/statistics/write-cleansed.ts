import { writeFile } from "node:fs/promises";
import type { StatisticsFilter } from "@flare-ts/contracts/job";
import { diskError } from "../store/file-model-store-disk.js";
import { cleanseStatistics } from "./cleanse-statistics.js";
import { parseSiteStatistics, siteStatisticsDocument } from "./site-statistics.js";
import { encodeStatistics, readStatistics } from "./statistics-file.js";

export interface WriteCleansedInit {
  readonly filters: readonly StatisticsFilter[];
  /** Cryptographic random bytes, which the next call may write over. */
  readonly randomBytes: (count: number) => Uint8Array;
}

/**
 * Writes what of a file of statistics may leave. The new file is made of what was read alone: nothing else of the old one is in it.
 *
 * @returns what was held back
 * @throws FlareError `client-api/result-invalid` for what statistics are not, `transfer/disk-full` and other words of the file system
 */
export async function writeCleansed(
  source: string,
  outPath: string,
  { filters, randomBytes }: WriteCleansedInit,
): Promise<readonly string[]> {
  const read = parseSiteStatistics(readStatistics(source));
  const { statistics, heldBack } = cleanseStatistics(read, filters, () => uniform(randomBytes(bytesOfNumber)));
  await writeFile(outPath, encodeStatistics(siteStatisticsDocument(statistics))).catch((reason: unknown) => {
    throw diskError(reason, outPath);
  });
  return heldBack;
}

const bytesOfNumber = 6;

/** A number from 0 to 1. */
function uniform(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0) / (256 ** bytesOfNumber - 1);
}
