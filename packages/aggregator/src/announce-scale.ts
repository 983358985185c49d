import { openFileSource } from "./byte-source.js";
import { announcedScale, type ExactScale } from "./exact/exact-scale.js";
import { exactWeight } from "./exact/weight.js";
import { inspectUpdate } from "./js/inspect-update.js";
import { readLayout } from "./safetensors/read-header.js";
import { indexModel, matchLayout } from "./session/match-layout.js";
import { UpdateFindings } from "./session/update-findings.js";
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
    const layout = await readLayout(source);
    const { tensors } = layout;
    const stored = await matchLayout(indexModel(layout), layout, source, model);
    const findings = new UpdateFindings({ tensors, contributor: model, announced: undefined });
    await inspectUpdate({ source, stored }, tensors, findings, signal);
    const largest = tensors.flatMap(({ name, dtype }, tensor) =>
      isFloatDtype(dtype) ? [[name, findings.maxima.ofTensor(tensor)] as const] : [],
    );
    return announcedScale(Object.fromEntries(largest), exactWeight(maxWeight, "the announced maximum"));
  } finally {
    await source.close();
  }
}
