import { FlareError } from "@flare-ts/contracts/errors";
import type { AggregationReport, FinishInit, ParamsType } from "../aggregation-engine.js";
import { announcedGrid, type ExactScale, maxContributors, tooManyContributors } from "../exact/exact-scale.js";
import { exactWeight, exponentAbove } from "../exact/weight.js";
import { quoted } from "../peer-text.js";
import type { SafetensorsLayout } from "../safetensors/layout.js";
import { readSafetensorsHeader } from "../safetensors/read-header.js";
import type { AcceptedUpdate } from "../session/accepted-update.js";
import { finishSession } from "../session/finish-session.js";
import { indexModel, type ModelIndex } from "../session/match-layout.js";
import { UpdateFindings } from "../session/update-findings.js";
import { fedAvg } from "../strategies/fed-avg.js";
import type { Strategy } from "../strategies/strategy.js";
import { isFloatDtype } from "../tensor.js";
import { wasmArithmetic } from "../wasm/wasm-arithmetic.js";
import { foldSums } from "./fold-sums.js";
import { ModelSums } from "./model-sums.js";
import { FoldedStream, type StreamUpdate } from "./stream-update.js";
import { SumBounds } from "./sum-bounds.js";

export interface StreamSumsComponents {
  /** Milliseconds from any beginning, such as `() => performance.now()`; only differences are used. */
  readonly nowMs: () => number;
}

export interface StreamSumsInit {
  /** The global model's file, or its layout: which tensors there are, and of what shape and type. */
  readonly model: string | SafetensorsLayout;
  /**
   * `exact`: the same bytes in any order and interleaving of updates, and the same as every exact engine's with this scale; a broken
   * update can be taken back. `fast`: sums in float32 (of F64 tensors in float64), whose last bits depend on the order of the
   * blocks, and out of which nothing can be taken back. Integer tensors are exact in both.
   */
  readonly sums: { readonly mode: "exact"; readonly scale: ExactScale } | { readonly mode: "fast" };
  /** What all updates are. */
  readonly paramsType: ParamsType;
  /** A mean of the contributors' values by their weights, with or without a server step. @default fedAvg() */
  readonly strategy?: Strategy | undefined;
  /** Off to do without vector instructions, as machines that lack them do. @default true */
  readonly isSimdAllowed?: boolean | undefined;
}

/**
 * Weighted means of updates that arrive as streams: each block of values is added to sums of the whole model as soon as it is
 * complete, on the caller's thread, and nothing is kept or spooled. Any number of updates may be open at once.
 *
 * Memory is 8 bytes for each floating element of the model in mode `exact`, 4 in mode `fast`, whatever the number of updates;
 * 128 KiB for each that is open; 7 MiB to finish in; and the integer tensors of each update, which are few and small in models.
 * Kernels address 4 GiB, so models of up to 530 million elements can be summed exactly.
 */
export class StreamSums {
  readonly #nowMs: () => number;
  readonly #model: ModelIndex;
  readonly #strategy: Strategy;
  readonly #paramsType: ParamsType;
  readonly #gridBits: Float64Array | undefined;
  readonly #sums: ModelSums;
  readonly #open = new Map<string, FoldedStream>();
  readonly #ended = new Map<string, AcceptedUpdate>();
  #bounds: SumBounds;
  /** What weights are divided by in mode fast, so that sums are about as large as values: a power of two, which changes no bit. */
  #unit = 0;
  #startMs: number;
  #isFinishing = false;
  #closing = new AbortController();
  #isClosed = false;

  private constructor(components: StreamSumsComponents, settings: Settings, sums: ModelSums) {
    this.#nowMs = components.nowMs;
    this.#model = settings.model;
    this.#strategy = settings.strategy;
    this.#paramsType = settings.paramsType;
    this.#gridBits = settings.gridBits;
    this.#sums = sums;
    this.#bounds = new SumBounds(settings.model.tensors);
    this.#startMs = settings.startMs;
  }

  /**
   * Reads the model's layout, compiles the kernels and takes the memory for the sums.
   *
   * @throws `aggregate/memory-exhausted`, `aggregate/scale-incomplete`, `aggregate/strategy-unfit`, `aggregate/engine-unavailable`,
   *   `aggregate/safetensors-…` and `file/…` for the model's file
   */
  static async create(components: StreamSumsComponents, init: StreamSumsInit): Promise<StreamSums> {
    const { model, sums, paramsType, strategy = fedAvg(), isSimdAllowed = true } = init;
    const startMs = components.nowMs();
    requireMean(strategy, paramsType);
    const { tensors } = typeof model === "string" ? await readSafetensorsHeader(model) : model;
    const gridBits =
      sums.mode === "fast"
        ? undefined
        : Float64Array.from(tensors, ({ name, dtype }) => (isFloatDtype(dtype) ? announcedGrid(sums.scale, name) : 0));
    const settings = { model: indexModel({ tensors }), strategy, paramsType, gridBits, startMs };
    return new StreamSums(components, settings, await ModelSums.create({ tensors, gridBits, isSimdAllowed }));
  }

  /** Bytes of memory that the kernels have taken so far. */
  get kernelBytes(): number {
    return this.#sums.parts.memory.size;
  }

  /**
   * Begins an update.
   *
   * @throws `aggregate/weight-invalid`, `aggregate/contributor-twice`, `aggregate/too-many-contributors`,
   *   `aggregate/memory-exhausted`, `aggregate/session-closed`
   */
  begin({ contributor, weight: given }: { readonly contributor: string; readonly weight: number }): StreamUpdate {
    this.#requireOpen();
    const weight = exactWeight(given, contributor);
    if (this.#open.has(contributor) || this.#ended.has(contributor)) {
      throw new FlareError("aggregate/contributor-twice", `${quoted(contributor)} was added before.`, { facts: { contributor } });
    }
    if (this.#open.size + this.#ended.size === maxContributors) throw tooManyContributors();
    if (this.#unit === 0) this.#unit = this.#gridBits === undefined ? 2 ** exponentAbove(weight) : 1;
    const update = new FoldedStream({
      contributor,
      weight,
      factor: weight / this.#unit,
      model: this.#model,
      sums: this.#sums,
      findings: new UpdateFindings({
        tensors: this.#model.tensors,
        contributor,
        announced: this.#gridBits === undefined ? undefined : { factor: weight, gridBits: this.#gridBits },
      }),
      guard: this.#gridBits === undefined ? this.#bounds.guard(contributor) : undefined,
      onEnd: (ended) => {
        this.#open.delete(contributor);
        this.#ended.set(contributor, ended);
      },
      onGone: () => this.#open.delete(contributor),
    });
    this.#open.set(contributor, update);
    return update;
  }

  /**
   * Writes the new model as `AggregationSession.finish` does, and closes the sums until `restart`. On an error or abort no file is
   * left and the sums stay open, so that finishing may be tried again.
   *
   * @throws `aggregate/update-unfinished` where an update was begun and neither ended nor taken back, `aggregate/no-contributions`,
   *   `aggregate/base-missing`, `aggregate/layout-mismatch`, `aggregate/state-invalid`, `aggregate/out-of-range`, `file/…`,
   *   `aggregate/session-closed`, `internal/aborted`
   */
  finish(init: FinishInit): Promise<AggregationReport> {
    return this.#finish(init, "model");
  }

  /**
   * Writes the sums instead of a model, for `AggregationSession.addSums` elsewhere. Needs mode `exact`.
   *
   * @throws as `finish`
   */
  finishSums(init: Pick<FinishInit, "outPath" | "isDurable" | "isHashed" | "onProgress" | "signal">): Promise<AggregationReport> {
    return this.#finish(init, "sums");
  }

  /** Begins the next aggregation of the same model in the memory that is there; whatever was added is dropped. @throws `aggregate/session-closed` while finishing */
  restart(): void {
    if (this.#isFinishing) this.#requireOpen();
    this.#drop();
    this.#sums.restart();
    this.#bounds = new SumBounds(this.#model.tensors);
    this.#unit = 0;
    this.#startMs = this.#nowMs();
    this.#isClosed = false;
    this.#closing = new AbortController();
  }

  /** Closes the sums; updates that are open take no more bytes, and what is being finished is stopped. Their memory is let go of with this object. */
  discard(): void {
    this.#isClosed = true;
    this.#closing.abort();
    this.#drop();
  }

  async #finish(finish: FinishInit, result: "model" | "sums"): Promise<AggregationReport> {
    this.#requireOpen();
    const [unfinished] = this.#open.keys();
    if (unfinished !== undefined) {
      throw new FlareError(
        "aggregate/update-unfinished",
        `The update of ${quoted(unfinished)} was neither ended nor taken back, as ${this.#open.size} in all.`,
        { facts: { contributor: unfinished, updates: this.#open.size } },
      );
    }
    this.#isFinishing = true;
    const stop = this.#closing.signal;
    try {
      const mode = this.#sums.isExact ? "exact" : "fast";
      const arithmetic = {
        ...wasmArithmetic(this.#sums.parts, mode),
        fold: (init: Parameters<typeof foldSums>[2]) => foldSums(this.#sums, this.#unit, init),
      };
      const report = await finishSession(
        { nowMs: this.#nowMs, arithmetic },
        {
          engine: `cpu-wasm-streams-${mode}`,
          model: this.#model,
          strategy: this.#strategy,
          paramsType: this.#paramsType,
          isCheckedEarly: true,
          announced: this.#gridBits,
          startMs: this.#startMs,
          spoolFolder: "",
          updates: [...this.#ended.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
          finish: { ...finish, signal: finish.signal === undefined ? stop : AbortSignal.any([stop, finish.signal]) },
          result,
        },
      );
      this.discard();
      return report;
    } finally {
      this.#isFinishing = false;
    }
  }

  #drop(): void {
    for (const update of this.#open.values()) update.abandon();
    this.#open.clear();
    this.#ended.clear();
  }

  #requireOpen(): void {
    if (!this.#isClosed && !this.#isFinishing) return;
    throw new FlareError("aggregate/session-closed", "The aggregation is being finished, or was finished or discarded.");
  }
}

interface Settings {
  readonly model: ModelIndex;
  readonly strategy: Strategy;
  readonly paramsType: ParamsType;
  readonly gridBits: Float64Array | undefined;
  readonly startMs: number;
}

/** Sums are made before all updates are known, so shares have to be the weights. */
function requireMean({ name, combine, weigh, needs }: Strategy, paramsType: ParamsType): void {
  const unfit = (what: string): FlareError =>
    new FlareError("aggregate/strategy-unfit", `${name} ${what}.`, { facts: { strategy: name, paramsType } });
  if ((needs.paramsType ?? paramsType) !== paramsType) throw unfit(`takes ${needs.paramsType ?? ""} updates, not ${paramsType}`);
  if (combine.kind === "mean" && weigh === undefined) return;
  throw unfit("is no mean by weights alone, so updates cannot be summed before all are known");
}
