import { link } from "node:fs/promises";
import { type CompressionForm, compressUpdate } from "@flare-ts/aggregator";

/** What updates may be compressed to; `none` leaves them as they are. */
export type Compression = "none" | CompressionForm;

/**
 * Compresses updates into files beside them and gives their paths; those that are further names of the same file stay so.
 *
 * @param distinct - how many files have contents of their own
 */
export async function compressUpdates(
  files: readonly string[],
  { form, distinct, signal }: { readonly form: Compression; readonly distinct: number; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  if (form === "none") return files;
  const paths = files.map((file) => `${file}.${form}`);
  for (const [i, outPath] of paths.entries()) {
    const first = paths[i % distinct];
    if (i >= distinct && first !== undefined) await link(first, outPath);
    else await compressUpdate({ source: files[i] ?? "", outPath, form, isDurable: false, signal });
  }
  return paths;
}
