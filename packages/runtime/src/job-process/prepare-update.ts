import { rm } from "node:fs/promises";
import { isStatisticsFilter, type UpdateFilterSettings, type UpdateForm } from "@flare-ts/contracts/job";
import { holdsTensors } from "../job/holds-tensors.js";
import { updateFilterOf } from "../job/update-filters.js";
import { findPsiFile } from "../psi/psi-file.js";
import { holdsStatistics } from "../statistics/statistics-file.js";
import { writeCleansed } from "../statistics/write-cleansed.js";
import type { SiteTask, TrainerResult } from "./job-channel.js";
import { type ShapedUpdate, shapeUpdate } from "./shape-update.js";

export interface PrepareUpdateInit {
  readonly task: Pick<SiteTask, "modelPath">;
  /** The job's own filters, in their order. */
  readonly filters: readonly UpdateFilterSettings[];
  /** The form in which it is sent then; `undefined`: as it is. */
  readonly form: UpdateForm | undefined;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly signal: AbortSignal;
}

/**
 * Does to a result what the job says, in a file beside it: filters it, and makes it smaller. One without tensors is left as it is.
 *
 * @throws FlareError `privacy/nothing-left`, `privacy/tensors-missing`, what `shapeUpdate` throws
 */
export async function prepareUpdate(result: TrainerResult, init: PrepareUpdateInit): Promise<ShapedUpdate> {
  const { task, form, signal } = init;
  const filtered = await filterResult(result, init);
  if (form === undefined) return { result: filtered };
  const shaped = await shapeUpdate(filtered, { task, form, signal });
  if (filtered.path !== result.path && shaped.result.path !== filtered.path) await rm(filtered.path, { force: true });
  return shaped;
}

async function filterResult(result: TrainerResult, { task, filters, randomBytes, signal }: PrepareUpdateInit): Promise<TrainerResult> {
  if (filters.length === 0 || !holdsTensors(result.path) || findPsiFile(result.path) !== undefined) return result;
  if (holdsStatistics(result.path)) return await cleanseResult(result, { filters, randomBytes });
  const { path: source, paramsType: given } = result;
  const outPath = source.replace(/\.safetensors$/, ".filtered.safetensors");
  // Loaded where a job asks for it: a site's job process is small without it.
  const { filterUpdate } = await import("@flare-ts/aggregator");
  const { paramsType } = await filterUpdate({
    source,
    paramsType: given,
    base: task.modelPath,
    outPath,
    filters: filters.flatMap((filter) => updateFilterOf(filter, randomBytes) ?? []),
    // The parent makes files durable; the permission model denies fsync to this process.
    isDurable: false,
    signal,
  });
  return { ...result, path: outPath, paramsType };
}

/** Statistics by the job's own cleansers, which stand among its filters. */
async function cleanseResult(
  result: TrainerResult,
  { filters, randomBytes }: Pick<PrepareUpdateInit, "filters" | "randomBytes">,
): Promise<TrainerResult> {
  const outPath = result.path.replace(/\.safetensors$/, ".filtered.safetensors");
  await writeCleansed(result.path, outPath, { filters: filters.filter(isStatisticsFilter), randomBytes });
  return { ...result, path: outPath };
}
