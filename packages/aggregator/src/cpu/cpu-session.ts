import { FlareError, limits } from "@flare-ts/contracts";
import { throwIfAborted } from "../abort.js";
import type { AggregationReport, AggregationSession, FinishInit, ParamsType, Update } from "../aggregation-engine.js";
import { type ByteSource, openFileSource } from "../byte-source.js";
import { gridFor, isOnGrid, maxContributors } from "../exact/exact-scale.js";
import { exactWeight } from "../exact/weight.js";
import { quoted } from "../peer-text.js";
import type { TensorPlace } from "../safetensors/layout.js";
import { readLayout } from "../safetensors/read-header.js";
import { writeSafetensors } from "../safetensors/write-safetensors.js";
import type { Strategy } from "../strategy.js";
import { isFloatDtype } from "../tensor.js";
import type { CpuArithmetic } from "./cpu-arithmetic.js";
import type { FoldSource } from "./fold-updates.js";
import type { InspectedUpdate } from "./inspect-update.js";
import { type ModelIndex, matchLayout } from "./match-layout.js";
import { takeContent, type UpdateContent } from "./update-content.js";

export interface CpuSessionInit {
  readonly engine: string;
  readonly model: ModelIndex;
  readonly strategy: Strategy["name"];
  readonly paramsType: ParamsType;
  /** Grid of each tensor of the model, where it was announced. */
  readonly announced: Float64Array | undefined;
  readonly startMs: number;
  /** Where updates that come as streams are kept. */
  readonly spoolFolder: string;
}

interface AcceptedUpdate extends InspectedUpdate {
  readonly contributor: string;
  readonly weight: number;
  readonly content: UpdateContent;
  readonly identity: string;
  readonly bytes: number;
}

/** A session of the engines that compute on the CPU: the rules are here, the speed is in the arithmetic. */
export class CpuSession implements AggregationSession {
  readonly #nowMs: () => number;
  readonly #arithmetic: CpuArithmetic;
  readonly #init: CpuSessionInit;
  readonly #accepted = new Map<string, AcceptedUpdate>();
  readonly #adding = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();
  #finishing: Promise<AggregationReport> | undefined;
  #isClosed = false;

  constructor(components: { readonly nowMs: () => number; readonly arithmetic: CpuArithmetic }, init: CpuSessionInit) {
    this.#nowMs = components.nowMs;
    this.#arithmetic = components.arithmetic;
    this.#init = init;
  }

  async add(update: Update, signal?: AbortSignal): Promise<void> {
    this.#requireOpen();
    const { contributor, paramsType } = update;
    const weight = exactWeight(update.weight, contributor);
    if (paramsType !== this.#init.paramsType) {
      throw new FlareError(
        "aggregate/params-type-mixed",
        `${quoted(contributor)} sent ${paramsType} where ${this.#init.paramsType} is aggregated.`,
        {
          facts: { contributor, paramsType, wanted: this.#init.paramsType },
        },
      );
    }
    if (this.#accepted.has(contributor) || this.#adding.has(contributor)) {
      throw new FlareError("aggregate/contributor-twice", `${quoted(contributor)} was added before.`, { facts: { contributor } });
    }
    if (this.#accepted.size + this.#adding.size >= maxContributors) {
      throw new FlareError("aggregate/too-many-contributors", `More than ${maxContributors} contributors.`, {
        facts: { limit: maxContributors },
      });
    }
    const admitted = this.#admit(update, weight, signal);
    this.#adding.set(contributor, admitted);
    try {
      await admitted;
    } finally {
      this.#adding.delete(contributor);
    }
  }

  async finish(init: FinishInit): Promise<AggregationReport> {
    this.#requireOpen();
    this.#finishing = this.#finish(init);
    try {
      const report = await this.#finishing;
      this.#isClosed = true;
      await this.#letGo();
      return report;
    } finally {
      this.#finishing = undefined;
    }
  }

  async discard(): Promise<void> {
    this.#isClosed = true;
    this.#closing.abort();
    await Promise.allSettled([...this.#adding.values(), this.#finishing]);
    await this.#letGo();
  }

  async #admit({ contributor, source: given }: Update, weight: number, signal: AbortSignal | undefined): Promise<void> {
    const stop = this.#stopBy(signal);
    const content = await takeContent(given, this.#arithmetic, {
      folder: this.#init.spoolFolder,
      maxBytes: this.#maxUpdateBytes(),
      label: `bytes of ${contributor}`,
      signal: stop,
    });
    let isAccepted = false;
    try {
      const source = await content.open();
      try {
        const inspected = await this.#arithmetic.inspect(source, this.#init.model, contributor, stop);
        this.#requireOnGrid(inspected, contributor, weight);
        throwIfAborted(stop);
        this.#accepted.set(contributor, { ...inspected, contributor, weight, content, identity: source.identity, bytes: source.size });
        isAccepted = true;
      } finally {
        await source.close();
      }
    } finally {
      if (!isAccepted) await content.release();
    }
  }

  /** The longest header and every tensor of the model. */
  #maxUpdateBytes(): number {
    return this.#init.model.tensors.reduce((sum, { byteLength }) => sum + byteLength, 8 + limits.safetensorsHeaderBytes);
  }

  async #letGo(): Promise<void> {
    const updates = [...this.#accepted.values()];
    this.#accepted.clear();
    await Promise.all(updates.map(({ content }) => content.release()));
  }

  async #finish(init: FinishInit): Promise<AggregationReport> {
    await Promise.allSettled(this.#adding.values());
    const stop = this.#stopBy(init.signal);
    throwIfAborted(stop);
    const { model, paramsType } = this.#init;
    // By name, so that sums that round have the same bits in any order too.
    const updates = [...this.#accepted.values()].sort((a, b) => (a.contributor < b.contributor ? -1 : 1));
    if (updates.length === 0) throw new FlareError("aggregate/no-contributions", "There is no update to aggregate.");
    if (paramsType === "DIFF" && init.base === undefined) {
      throw new FlareError("aggregate/base-missing", "Differences were aggregated without the model that they belong to.");
    }
    const senders = model.tensors.map((_, tensor) => updates.filter(({ offsets }) => (offsets[tensor] ?? -1) >= 0).length);
    const skipped = model.tensors.filter((_, tensor) => senders[tensor] === 0).map(({ name }) => name);
    const isIncluded = (tensor: number): boolean => init.base !== undefined || (senders[tensor] ?? 0) > 0;
    const opened: ByteSource[] = [];
    try {
      const base = init.base === undefined ? undefined : await this.#openBase(init.base, opened);
      const sources: FoldSource[] = [];
      for (const update of updates) {
        const source = await update.content.open();
        opened.push(source);
        if (source.identity !== update.identity) throw changed(update.contributor, source.label);
        sources.push({ source, weight: update.weight, offsets: update.offsets });
      }
      const chunks = this.#arithmetic.fold({
        tensors: model.tensors,
        updates: sources,
        ...this.#grids(updates),
        base,
        isDifference: paramsType === "DIFF",
        isIncluded,
        signal: stop,
      });
      const specs = model.tensors.filter((_, tensor) => isIncluded(tensor));
      const written = await writeSafetensors(init.outPath, specs, withProgress(chunks, specs, init.onProgress), {
        metadata: init.metadata ?? {},
        isDurable: init.isDurable,
        signal: stop,
      });
      return this.#report(updates, senders, skipped, written);
    } finally {
      await Promise.all(opened.map((source) => source.close()));
    }
  }

  #grids(updates: readonly AcceptedUpdate[]): { gridBits: Float64Array; maxAbs: Float64Array } {
    const { model, announced } = this.#init;
    const maxAbs = new Float64Array(model.tensors.length);
    const gridBits = new Float64Array(model.tensors.length);
    for (const tensor of model.tensors.keys()) {
      let largestTerm = 0;
      for (const update of updates) {
        const largest = update.maxAbs[tensor] ?? 0;
        maxAbs[tensor] = Math.max(maxAbs[tensor] ?? 0, largest);
        largestTerm = Math.max(largestTerm, largest * update.weight);
      }
      gridBits[tensor] = announced?.[tensor] ?? (Number.isFinite(largestTerm) ? gridFor(largestTerm) : 0);
    }
    return { gridBits, maxAbs };
  }

  async #openBase(path: string, opened: ByteSource[]): Promise<Omit<FoldSource, "weight">> {
    const { model } = this.#init;
    const source = await openFileSource(path);
    opened.push(source);
    const offsets = matchLayout(model, await readLayout(source), path);
    const missing = model.tensors[offsets.indexOf(-1)];
    if (missing !== undefined) {
      throw new FlareError("aggregate/layout-mismatch", `${path} lacks tensor ${quoted(missing.name)} of the model.`, {
        facts: { file: path, tensor: missing.name.slice(0, limits.peerTextChars) },
      });
    }
    return { source, offsets };
  }

  #requireOnGrid({ maxAbs }: InspectedUpdate, contributor: string, weight: number): void {
    const { model, announced } = this.#init;
    if (announced === undefined) return;
    for (const [tensor, { name, dtype }] of model.tensors.entries()) {
      const largest = maxAbs[tensor] ?? 0;
      if (!isFloatDtype(dtype) || isOnGrid(largest * weight, announced[tensor] ?? 0)) continue;
      throw new FlareError(
        "aggregate/out-of-range",
        `Tensor ${quoted(name)} of ${quoted(contributor)} holds a value of ${largest}, which with the weight ${weight} is beyond the announced scale.`,
        { facts: { contributor, tensor: name.slice(0, limits.peerTextChars), value: largest, weight, gridBits: announced[tensor] ?? 0 } },
      );
    }
  }

  #report(
    updates: readonly AcceptedUpdate[],
    senders: readonly number[],
    skippedTensors: readonly string[],
    written: { readonly bytes: number; readonly sha256: string },
  ): AggregationReport {
    const { engine, strategy, paramsType, model, startMs } = this.#init;
    return {
      engine,
      device: this.#arithmetic.device,
      strategy,
      paramsType,
      contributors: updates.map(({ contributor, weight, norm, tensors, bytes }) => ({ contributor, weight, norm, tensors, bytes })),
      partialTensors: model.tensors.flatMap(({ name }, tensor) => {
        const contributors = senders[tensor] ?? 0;
        return contributors > 0 && contributors < updates.length ? [{ tensor: name, contributors }] : [];
      }),
      skippedTensors,
      bytesIn: updates.reduce((sum, { bytes }) => sum + bytes, 0),
      bytesOut: written.bytes,
      sha256: written.sha256,
      seconds: (this.#nowMs() - startMs) / 1000,
    };
  }

  #requireOpen(): void {
    if (this.#isClosed || this.#finishing !== undefined) {
      throw new FlareError("aggregate/session-closed", "The aggregation is being finished, or was finished or discarded.");
    }
  }

  #stopBy(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#closing.signal : AbortSignal.any([this.#closing.signal, signal]);
  }
}

async function* withProgress(
  chunks: AsyncIterable<Uint8Array>,
  specs: readonly TensorPlace[],
  onProgress: FinishInit["onProgress"],
): AsyncGenerator<Uint8Array> {
  const totalBytes = specs.reduce((sum, { byteLength }) => sum + byteLength, 0);
  let doneBytes = 0;
  for await (const chunk of chunks) {
    doneBytes += chunk.byteLength;
    yield chunk;
    onProgress?.({ doneBytes, totalBytes });
  }
}

function changed(contributor: string, file: string): FlareError {
  return new FlareError("aggregate/update-changed", `${file}, the update of ${quoted(contributor)}, changed after it was accepted.`, {
    facts: { contributor, file },
  });
}
