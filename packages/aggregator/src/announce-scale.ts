import { openFileSource } from "./byte-source.js";
import { inspectUpdate } from "./cpu/inspect-update.js";
import { indexModel } from "./cpu/match-layout.js";
import { announcedScale, type ExactScale } from "./exact/exact-scale.js";
import { exactWeight } from "./exact/weight.js";
import { readLayout } from "./safetensors/read-header.js";
import { isFloatDtype } from "./tensor.js";

export interface AnnounceScaleInit {
  /** File of the global model. */
  readonly model: string;
  /** Largest weight that a contributor may have. */
  readonly maxWeight: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The scale to announce with a round so that parts of it folded at different places fit together bit by bit. It follows from
 * the global model and the largest weight alone: 40 fractional bits, fewer for tensors with values of 1 and more, so that
 * 2048 times the largest value in the model still fits. Values beyond are refused, never wrapped.
 *
 * @throws as `AggregationSession.add` for the model's file
 */
export async function announceScale({ model, maxWeight, signal }: AnnounceScaleInit): Promise<ExactScale> {
  const source = await openFileSource(model);
  try {
    const index = indexModel(await readLayout(source));
    const { maxAbs } = await inspectUpdate(source, index, model, signal);
    const largest = index.tensors.flatMap(({ name, dtype }, tensor) => (isFloatDtype(dtype) ? [[name, maxAbs[tensor] ?? 0] as const] : []));
    return announcedScale(Object.fromEntries(largest), exactWeight(maxWeight, "the announced maximum"));
  } finally {
    await source.close();
  }
}
