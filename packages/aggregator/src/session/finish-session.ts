import { FlareError, limits } from "@flare-ts/contracts/errors";
import { throwIfAborted } from "../abort.js";
import type { AggregationReport } from "../aggregation-engine.js";
import { type ByteSource, openFileSource } from "../byte-source.js";
import { quoted } from "../peer-text.js";
import type { TensorSpec } from "../safetensors/layout.js";
import { readLayout } from "../safetensors/read-header.js";
import { SafetensorsWriter, type WrittenFile } from "../safetensors/safetensors-writer.js";
import type { AcceptedUpdate } from "./accepted-update.js";
import type { FoldedBatch, FoldStep, FoldUpdate, ReadableUpdate, TakeNote } from "./arithmetic.js";
import { type FoldRuns, foldRuns } from "./fold-runs.js";
import { type ModelIndex, matchLayout } from "./match-layout.js";
import { createState, openState } from "./server-state.js";
import { reportSession } from "./session-report.js";
import type { FinishSettings, SessionComponents } from "./session-settings.js";
import type { SummedContributors } from "./summed-contributors.js";
import { sumsMetadata } from "./sums-file.js";

/** Folds what was accepted into a new model, or into sums. @throws as `AggregationSession.finish` */
export async function finishSession(components: SessionComponents, init: FinishSettings): Promise<AggregationReport> {
  const { model, strategy, updates, finish, result } = init;
  if (updates.length === 0) throw new FlareError("aggregate/no-contributions", "There is no update to aggregate.");
  requireFit(components, init);
  const opened: ByteSource[] = [];
  const notes = new Set<string>();
  const note: TakeNote = (sentence) => void notes.add(sentence);
  try {
    const base = finish.base === undefined ? undefined : await openBase(model, finish.base, opened);
    const step = result === "sums" ? undefined : await openState(strategy, model.tensors, finish.state, opened);
    const sources: ReadableUpdate[] = [];
    for (const update of updates) {
      const source = await update.content.open();
      opened.push(source);
      if (source.identity !== update.identity) throw changed(update.name, source.label);
      sources.push({ source, stored: update.stored });
    }
    const runs = await foldRuns(components, init, { sources, base, step, note });
    const written = await writeResult(components, init, runs, step);
    return reportSession(components, init, runs, { written, notes });
  } finally {
    await Promise.all(opened.map((source) => source.close()));
  }
}

function requireFit({ arithmetic }: SessionComponents, init: FinishSettings): void {
  const { strategy, paramsType, announced, finish, result, model, updates } = init;
  const unfit = (what: string): FlareError =>
    new FlareError("aggregate/strategy-unfit", `${what}.`, { facts: { strategy: strategy.name, paramsType } });
  if (paramsType === "DIFF" && finish.base === undefined && result === "model") {
    throw new FlareError("aggregate/base-missing", "Differences were aggregated without the model that they belong to.");
  }
  const isBaseNeeded = [strategy, ...(strategy.parts ?? []).map((part) => part.strategy)].some(
    ({ step, needs, combine, combines }) =>
      step !== undefined ||
      needs.norms === true ||
      // Such tensors stay as the base has them.
      model.tensors.some((spec, tensor) => combines?.(spec) === false && updates.some(({ stored }) => stored[tensor] !== undefined)) ||
      (combine.kind === "mean" && combine.divisor !== undefined),
  );
  if (finish.base === undefined && result === "model" && isBaseNeeded) {
    throw new FlareError("aggregate/base-missing", `${strategy.name} needs the global model that updates were trained from.`);
  }
  if (result === "model") return;
  if (!arithmetic.isExact || announced === undefined) throw unfit("Sums for another place need mode exact and an announced scale");
  if (strategy.combine.kind !== "mean" || (strategy.weigh !== undefined && strategy.isSeparable !== true)) {
    throw unfit(`The strategy ${strategy.name} has to see all contributors, so it makes no sums for another place`);
  }
}

async function writeResult(
  components: SessionComponents,
  init: FinishSettings,
  { folds, updates: shared }: FoldRuns,
  step: FoldStep | undefined,
): Promise<WrittenFile> {
  const { finish, result, model, strategy, paramsType, announced, updates } = init;
  const { outPath, isDurable, isHashed, signal, onProgress, state } = finish;
  const included: readonly TensorSpec[] = model.tensors.filter((_, tensor) => folds.some((fold) => fold.isIncluded(tensor)));
  const specs = result === "sums" ? included.map((spec) => ({ ...spec, dtype: "I64" as const })) : included;
  const heading = { strategy: strategy.name, paramsType, gridBits: [...(announced ?? [])] };
  const metadata = result === "sums" ? sumsMetadata(model, heading, contributorsOf(model, shared, updates)) : (finish.metadata ?? {});
  const file = await SafetensorsWriter.create(outPath, specs, { metadata, isDurable, isHashed, signal });
  let states: readonly SafetensorsWriter[] = [];
  try {
    if (step !== undefined && step.step.stateNames.length > 0 && state !== undefined) {
      states = await createState(strategy, included, step, state.to, { isDurable, isHashed: false, signal });
    }
    let doneBytes = 0;
    const totalBytes = included.reduce((sum, { name }) => sum + (model.tensors[model.indexOf.get(name) ?? -1]?.byteLength ?? 0), 0);
    for (const fold of folds) {
      for await (const batch of components.arithmetic.fold(fold)) {
        await putBatch(batch, file, states);
        doneBytes = Math.min(totalBytes, doneBytes + batch.model.byteLength);
        onProgress?.({ doneBytes, totalBytes });
      }
    }
    throwIfAborted(signal);
    // The state before the model: the model's name is what says that the round is done.
    for (const each of states) await each.finish();
    return await file.finish();
  } catch (cause) {
    await Promise.all([file, ...states].map((each) => each.discard()));
    throw cause;
  }
}

async function putBatch({ model, state }: FoldedBatch, file: SafetensorsWriter, states: readonly SafetensorsWriter[]): Promise<void> {
  // All are waited for also where one fails: none may go on reading bytes that are used again.
  const outcomes = await Promise.allSettled([file.put(model), ...states.map((each, i) => each.put(state[i] ?? new Uint8Array(0)))]);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

function contributorsOf({ tensors }: ModelIndex, updates: readonly FoldUpdate[], accepted: readonly AcceptedUpdate[]): SummedContributors {
  const named = accepted.flatMap((update, i) => {
    if (update.sums !== undefined) return update.sums.named;
    const { factor = 0, weight = 0, findings } = updates[i] ?? {};
    const absent = new Set(tensors.flatMap((_, tensor) => (update.stored[tensor] === undefined ? [tensor] : [])));
    // Norms of updates that are checked while they are summed are not known when the header is written.
    const norm = update.norm ?? findings?.norm ?? 0;
    return [{ contributor: update.name, factor, weight, absent, norm, tensors: update.tensors, bytes: update.bytes }];
  });
  return {
    named: named.sort((a, b) => (a.contributor < b.contributor ? -1 : 1)),
    together: accepted.flatMap(({ sums }) => sums?.together ?? []),
  };
}

async function openBase(model: ModelIndex, path: string, opened: ByteSource[]): Promise<ReadableUpdate> {
  const source = await openFileSource(path);
  opened.push(source);
  const stored = await matchLayout(model, await readLayout(source), source, path, "plain");
  const missing = model.tensors.find((_, tensor) => stored[tensor] === undefined);
  if (missing !== undefined) {
    throw new FlareError("aggregate/layout-mismatch", `${path} lacks tensor ${quoted(missing.name)} of the model.`, {
      facts: { file: path, tensor: missing.name.slice(0, limits.peerTextChars) },
    });
  }
  return { source, stored };
}

function changed(contributor: string, file: string): FlareError {
  return new FlareError("aggregate/update-changed", `${file}, the update of ${quoted(contributor)}, changed after it was accepted.`, {
    facts: { contributor, file },
  });
}
