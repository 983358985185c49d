import { FlareError, limits } from "@flare-ts/contracts/errors";
import { throwIfAborted } from "../abort.js";
import type { AggregationReport } from "../aggregation-engine.js";
import { type ByteSource, openFileSource } from "../byte-source.js";
import { quoted } from "../peer-text.js";
import type { TensorSpec } from "../safetensors/layout.js";
import { readLayout } from "../safetensors/read-header.js";
import { SafetensorsWriter, type WrittenFile } from "../safetensors/safetensors-writer.js";
import type { Share } from "../strategies/strategy.js";
import type { AcceptedUpdate } from "./accepted-update.js";
import type { FoldedBatch, FoldInit, FoldStep, FoldUpdate, ReadableUpdate, TakeNote } from "./arithmetic.js";
import { countsFor } from "./fold-totals.js";
import { type ModelIndex, matchLayout } from "./match-layout.js";
import { createState, openState } from "./server-state.js";
import { reportSession } from "./session-report.js";
import type { FinishSettings, SessionComponents } from "./session-settings.js";
import { shareOut } from "./share-out.js";
import { sumsMetadata } from "./sums-file.js";
import { UpdateFindings } from "./update-findings.js";

/** Folds what was accepted into a new model, or into sums. @throws as `AggregationSession.finish` */
export async function finishSession(components: SessionComponents, init: FinishSettings): Promise<AggregationReport> {
  const { model, strategy, paramsType, announced, updates, finish, result } = init;
  const { signal } = finish;
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
    const shares = await shareOut(components.arithmetic, { ...init, sources, base, note });
    requireBase(init, shares);
    const shared = updates.map((update, i): FoldUpdate => {
      const share = shares[i] ?? { factor: 0, weight: 0 };
      const findings = new UpdateFindings({
        tensors: model.tensors,
        contributor: update.name,
        announced: announced === undefined ? undefined : { factor: share.factor, gridBits: announced },
      });
      const isChecked = update.norm !== undefined;
      return {
        source: sources[i]?.source as ByteSource,
        stored: update.stored,
        contributor: update.name,
        ...share,
        findings: isChecked ? undefined : findings,
        maxima: update.maxima,
        sums: update.sums,
      };
    });
    const fold: FoldInit = {
      tensors: model.tensors,
      updates: shared,
      combine: strategy.combine,
      combines: strategy.combines,
      announced,
      base,
      isDifference: paramsType === "DIFF",
      // What only those sent whom the strategy left out is as if nobody had; sums name them, and so have sums of zero.
      isIncluded: (tensor) =>
        finish.base !== undefined ||
        shared.some((update) => (result === "sums" ? update.stored[tensor] !== undefined : countsFor(update, tensor))),
      step,
      result,
      note,
      signal,
    };
    const specs = model.tensors.filter((_, tensor) => fold.isIncluded(tensor));
    const written = await writeResult(components, init, fold, specs, step);
    return reportSession(components, init, fold, { written, notes });
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
  const isBaseNeeded =
    strategy.step !== undefined ||
    strategy.needs.norms === true ||
    // Such tensors stay as the base has them.
    model.tensors.some(
      (spec, tensor) => strategy.combines?.(spec) === false && updates.some(({ stored }) => stored[tensor] !== undefined),
    ) ||
    (strategy.combine.kind === "mean" && strategy.combine.divisor !== undefined);
  if (finish.base === undefined && result === "model" && isBaseNeeded) {
    throw new FlareError("aggregate/base-missing", `${strategy.name} needs the global model that updates were trained from.`);
  }
  if (result === "model") return;
  if (!arithmetic.isExact || announced === undefined) throw unfit("Sums for another place need mode exact and an announced scale");
  if (strategy.combine.kind !== "mean" || (strategy.weigh !== undefined && strategy.isSeparable !== true)) {
    throw unfit(`The strategy ${strategy.name} has to see all contributors, so it makes no sums for another place`);
  }
}

/** A whole model that counts with more or less than its weight moves the base, which has to be known then. */
function requireBase({ strategy, paramsType, updates, finish, result }: FinishSettings, shares: readonly Share[]): void {
  if (finish.base !== undefined || result === "sums" || paramsType === "DIFF" || strategy.combine.kind !== "mean") return;
  const behind = updates.flatMap(({ sums }, i) => sums ?? shares[i] ?? []);
  if (behind.every(({ factor, weight }) => factor === weight)) return;
  throw new FlareError("aggregate/base-missing", `${strategy.name} needs the global model that updates were trained from.`);
}

async function writeResult(
  components: SessionComponents,
  init: FinishSettings,
  fold: FoldInit,
  included: readonly TensorSpec[],
  step: FoldStep | undefined,
): Promise<WrittenFile> {
  const { finish, result, model, strategy, paramsType, announced, updates } = init;
  const { outPath, isDurable, isHashed, signal, onProgress, state } = finish;
  const specs = result === "sums" ? included.map((spec) => ({ ...spec, dtype: "I64" as const })) : included;
  const heading = { strategy: strategy.name, paramsType, gridBits: [...(announced ?? [])] };
  const metadata = result === "sums" ? sumsMetadata(model, heading, contributorsOf(fold, updates)) : (finish.metadata ?? {});
  const file = await SafetensorsWriter.create(outPath, specs, { metadata, isDurable, isHashed, signal });
  let states: readonly SafetensorsWriter[] = [];
  try {
    if (step !== undefined && step.step.stateNames.length > 0 && state !== undefined) {
      states = await createState(strategy, included, step, state.to, { isDurable, isHashed: false, signal });
    }
    let doneBytes = 0;
    const totalBytes = included.reduce((sum, { name }) => sum + (model.tensors[model.indexOf.get(name) ?? -1]?.byteLength ?? 0), 0);
    for await (const batch of components.arithmetic.fold(fold)) {
      await putBatch(batch, file, states);
      doneBytes = Math.min(totalBytes, doneBytes + batch.model.byteLength);
      onProgress?.({ doneBytes, totalBytes });
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

function contributorsOf({ updates, tensors }: FoldInit, accepted: readonly AcceptedUpdate[]): Parameters<typeof sumsMetadata>[2] {
  return accepted
    .flatMap((update, i) => {
      if (update.sums !== undefined) return update.sums;
      const { factor = 0, weight = 0, findings } = updates[i] ?? {};
      const absent = new Set(tensors.flatMap((_, tensor) => (update.stored[tensor] === undefined ? [tensor] : [])));
      // Norms of updates that are checked while they are summed are not known when the header is written.
      return [
        {
          contributor: update.name,
          factor,
          weight,
          absent,
          norm: update.norm ?? findings?.norm ?? 0,
          tensors: update.tensors,
          bytes: update.bytes,
        },
      ];
    })
    .sort((a, b) => (a.contributor < b.contributor ? -1 : 1));
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
