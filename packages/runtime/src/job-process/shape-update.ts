import { rm } from "node:fs/promises";
import type { CompressionForm } from "@flare-ts/aggregator";
import { FlareError } from "@flare-ts/contracts/errors";
import { executorFor, type ResultFilterSettings, type UpdateForm } from "@flare-ts/contracts/job";
import { holdsTensors } from "../job/holds-tensors.js";
import { withWire } from "../job/update-wire.js";
import { findPsiFile } from "../psi/psi-file.js";
import { holdsStatistics } from "../statistics/statistics-file.js";
import type { SiteTask, TrainerResult } from "./job-channel.js";

export interface ShapeUpdateInit {
  readonly task: Pick<SiteTask, "modelPath">;
  readonly form: UpdateForm;
  readonly signal?: AbortSignal | undefined;
}

/** A result as it leaves the site. */
export interface ShapedUpdate {
  readonly result: TrainerResult;
  /** Why it could not be made smaller. */
  readonly obstacle?: FlareError;
}

/** The form in which results of a task are sent: the site's own choice, whatever it is, before that of the job. */
export function updateFormFor(
  task: string,
  filters: readonly ResultFilterSettings[],
  siteForm: "none" | UpdateForm | undefined,
): UpdateForm | undefined {
  if (siteForm !== undefined) return siteForm === "none" ? undefined : siteForm;
  return executorFor(filters, task)?.updateForm;
}

/**
 * Makes a result smaller for the wire, in a file beside it. A whole model becomes the difference to the model of its task first, as
 * rounding a small difference loses less than rounding what it is the difference of. A result that the form cannot hold is left as it is,
 * and so is one without tensors, such as the answer to an evaluation, one of statistics, and one of an intersection.
 *
 * @throws what is wrong with the result itself (`aggregate/…`, `file/…`); the reason of the signal
 */
export async function shapeUpdate(result: TrainerResult, init: ShapeUpdateInit): Promise<ShapedUpdate> {
  if (!holdsTensors(result.path) || holdsStatistics(result.path) || findPsiFile(result.path) !== undefined) return { result };
  if (result.paramsType === "DIFF") return shapeOrLeave(result, init);
  try {
    return await shape(result, init, init.task.modelPath);
  } catch (reason) {
    // Integers without a sign have no differences.
    if (FlareError.from(reason).code !== "aggregate/out-of-range") throw reason;
    return shapeOrLeave(result, init);
  }
}

async function shapeOrLeave(result: TrainerResult, init: ShapeUpdateInit): Promise<ShapedUpdate> {
  try {
    return await shape(result, init, undefined);
  } catch (reason) {
    const obstacle = FlareError.from(reason);
    if (obstacle.code !== "aggregate/out-of-range") throw reason;
    return { result, obstacle };
  }
}

async function shape(result: TrainerResult, { form, signal }: ShapeUpdateInit, base: string | undefined): Promise<ShapedUpdate> {
  const outPath = shapedPath(result.path);
  // Loaded where a form was asked for: a site's job process is small without it.
  const { compressUpdate } = await import("@flare-ts/aggregator");
  // The parent makes files durable; the permission model denies fsync to this process.
  const report = await compressUpdate({ source: result.path, base, outPath, form: compressions[form], isDurable: false, signal });
  const { bytesIn: fullBytes, relativeError, largestError } = report;
  const meta = withWire(result.meta, { form, fullBytes, relativeError, largestError });
  return { result: { ...result, path: outPath, paramsType: base === undefined ? result.paramsType : "DIFF", meta } };
}

/** Removes the trainer's own file once the smaller one was handed over. */
export async function forgetShaped(result: TrainerResult, { path }: TrainerResult): Promise<void> {
  if (result.path !== path) await rm(path, { force: true });
}

const compressions: Readonly<Record<UpdateForm, CompressionForm>> = { float16: "float16", bfloat16: "bfloat16", blockwise8: "int8" };

function shapedPath(path: string): string {
  return path.replace(/\.safetensors$/, ".small.safetensors");
}
