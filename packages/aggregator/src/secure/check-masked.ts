import { readSafetensorsHeader } from "../safetensors/read-header.js";
import { type MaskedRound, maskedFormat, requireMasked } from "./masked-format.js";
import type { MaskedFile } from "./unmask-sums.js";

export interface CheckMaskedInit extends MaskedRound, MaskedFile {}

/**
 * Refuses a file that is no masked update of this round, by its header: what it holds nobody can tell. For whoever takes updates in, so that
 * one that does not go with the others is refused by name and does not spoil their sum.
 *
 * @throws `aggregate/masked-invalid`, `aggregate/safetensors-…`, `file/…`, and as `maskUpdate` for what the round announces
 */
export async function checkMasked({ contributor, path, ...round }: CheckMaskedInit): Promise<void> {
  requireMasked(await maskedFormat(round), await readSafetensorsHeader(path), contributor);
}
