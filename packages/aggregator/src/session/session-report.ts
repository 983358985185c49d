import process from "node:process";
import type { AggregationReport, ContributorReport, TogetherReport } from "../aggregation-engine.js";
import type { WrittenFile } from "../safetensors/safetensors-writer.js";
import type { FoldRuns } from "./fold-runs.js";
import type { ModelIndex } from "./match-layout.js";
import type { FinishSettings, SessionComponents } from "./session-settings.js";
import type { SummedTogether } from "./summed-contributors.js";

/** Says what was aggregated, by whom and how. */
export function reportSession(
  { arithmetic, nowMs }: SessionComponents,
  init: FinishSettings,
  { updates: shared, totals }: FoldRuns,
  { written, notes }: { readonly written: WrittenFile; readonly notes: Iterable<string> },
): AggregationReport {
  const { engine, strategy, paramsType, model, startMs, updates } = init;
  const contributors = updates.flatMap((update, i): readonly ContributorReport[] => {
    if (update.sums !== undefined) return update.sums.named.map(({ absent: _absent, ...each }) => each);
    const { weight = 0, factor = 0, findings } = shared[i] ?? {};
    return [
      { contributor: update.name, weight, factor, norm: update.norm ?? findings?.norm ?? 0, tensors: update.tensors, bytes: update.bytes },
    ];
  });
  const behind = (tensor: number): number => totals[tensor]?.contributors ?? 0;
  const counted = contributors.filter(({ weight, factor }) => weight !== 0 || factor !== 0).length;
  return {
    engine,
    device: arithmetic.device,
    strategy: strategy.name,
    settings: strategy.settings,
    paramsType,
    contributors: contributors.toSorted((a, b) => (a.contributor < b.contributor ? -1 : 1)),
    together: updates.flatMap(({ sums }) => sums?.together.map((each) => reportTogether(model, each)) ?? []),
    partialTensors: model.tensors.flatMap(({ name }, tensor) => {
      const some = behind(tensor);
      return some > 0 && some < counted ? [{ tensor: name, contributors: some }] : [];
    }),
    skippedTensors: model.tensors.filter((_, tensor) => (totals[tensor]?.senders.length ?? 0) === 0).map(({ name }) => name),
    bytesIn: updates.reduce((sum, { bytes }) => sum + bytes, 0),
    bytesOut: written.bytes,
    sha256: written.sha256,
    seconds: (nowMs() - startMs) / 1000,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    notes: [...notes],
  };
}

function reportTogether({ tensors }: ModelIndex, { contributors, weights, bytes }: SummedTogether): TogetherReport {
  const weight = weights.reduce((most, each) => Math.max(most, each), 0);
  return {
    contributors,
    weight,
    tensors: weights.filter((each) => each !== 0).length,
    bytes,
    partialTensors: tensors.flatMap(({ name }, tensor) => {
      const some = weights[tensor] ?? 0;
      return some > 0 && some < weight ? [{ tensor: name, weight: some }] : [];
    }),
  };
}
