import { FlareError, limits } from "@flare-ts/contracts/errors";
import { PieceValues } from "../js/piece-values.js";
import { quoted } from "../peer-text.js";
import type { SafetensorsLayout } from "../safetensors/layout.js";
import type { AcceptedUpdate } from "../session/accepted-update.js";
import type { Piece } from "../session/batches.js";
import type { ModelIndex } from "../session/match-layout.js";
import type { Scanned, UpdateFindings } from "../session/update-findings.js";
import { type Dtype, isFloatDtype } from "../tensor.js";
import { BlockStream } from "./block-stream.js";
import { KeptIntegers } from "./kept-integers.js";
import type { ModelSums, Staging } from "./model-sums.js";
import { type StreamedTensor, streamedTensors } from "./streamed-tensors.js";
import type { SumGuard } from "./sum-bounds.js";

/** An update that arrives as a stream of bytes: any number of `write`, then `end` or `takeBack`. */
export interface StreamUpdate {
  readonly contributor: string;
  /** Bytes that were taken so far. */
  readonly bytes: number;
  /**
   * Takes the next bytes of a safetensors file, header first, cut anywhere, and adds every block of values that they complete to
   * the sums. The chunk may be used again at once. Of a block with a value that is not fit nothing is added to exact sums; what was
   * added before stays in the sums until `takeBack`, so an update that was refused takes no more bytes. One that was refused in its
   * first block is gone by itself.
   *
   * @throws `aggregate/safetensors-…`, `aggregate/update-empty`, `aggregate/unknown-tensor`, `aggregate/layout-mismatch`,
   *   `aggregate/compression-invalid`, `aggregate/stream-compressed`, `aggregate/not-finite`, `aggregate/value-invalid`,
   *   `aggregate/out-of-range`, `aggregate/session-closed`
   */
  write(chunk: Uint8Array): void;
  /**
   * Counts the update.
   *
   * @throws `aggregate/safetensors-truncated` where bytes are missing; the update is then as one that was refused;
   *   `aggregate/session-closed`
   */
  end(): void;
  /**
   * Takes an update that was not ended out of the sums, which then are bit by bit what they would be without it. The contributor
   * may begin again. It takes the bytes that were written once more: they are read until all that was added is taken back, block
   * after block, and a block whose largest value or sum of squares is not what it was changes nothing. That tells another update
   * or a damaged one, not one that was forged to look like it. After an error it may be tried again, from the first byte on.
   *
   * @param replay - the same bytes, cut anywhere; more than that may follow
   * @throws `aggregate/not-taken-back`, `aggregate/safetensors-…`, `aggregate/session-closed`, and what the replay throws
   */
  takeBack(replay: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void>;
}

export interface StreamUpdateInit {
  readonly contributor: string;
  /** As it is computed with. */
  readonly weight: number;
  /** Factor on the values. */
  readonly factor: number;
  readonly model: ModelIndex;
  readonly sums: ModelSums;
  readonly findings: UpdateFindings;
  /** Guards sums in float32. */
  readonly guard: SumGuard | undefined;
  /** Told when the update counts, and when nothing of it is left. */
  readonly onEnd: (update: AcceptedUpdate) => void;
  readonly onGone: () => void;
}

/** A block that was added to the sums, and by what it is known again. */
interface AddedBlock extends Scanned {
  readonly tensor: number;
  readonly firstElement: number;
  readonly dtype: Dtype;
}

type State = "open" | "broken" | "returning" | "closed";

/** An update that is folded into sums of the whole model as its bytes arrive. */
export class FoldedStream implements StreamUpdate {
  readonly #init: StreamUpdateInit;
  readonly #staging: Staging;
  readonly #stream: BlockStream;
  readonly #integers: KeptIntegers;
  /** In order. */
  #added: AddedBlock[] = [];
  #returned = 0;
  #layout: SafetensorsLayout | undefined;
  #state: State = "open";

  constructor(init: StreamUpdateInit) {
    this.#init = init;
    this.#staging = init.sums.openStaging();
    this.#integers = new KeptIntegers(init.model.tensors);
    this.#stream = this.#blocks((streamed, firstElement, count) => this.#addBlock(streamed, firstElement, count));
  }

  get contributor(): string {
    return this.#init.contributor;
  }

  get bytes(): number {
    return this.#stream.bytes;
  }

  write(chunk: Uint8Array): void {
    this.#requireState("open");
    try {
      this.#stream.write(chunk);
    } catch (cause) {
      this.#break();
      throw cause;
    }
  }

  end(): void {
    this.#requireState("open");
    if (!this.#stream.isComplete) {
      this.#break();
      throw this.#truncated(this.#stream.bytes);
    }
    const { contributor, weight, findings, onEnd, model } = this.#init;
    const tensors = this.#layout?.tensors ?? [];
    const { content, stored } = this.#integers.keep(contributor, new Set(tensors.map(({ name }) => model.indexOf.get(name) ?? -1)));
    this.#close();
    onEnd({
      name: contributor,
      weight,
      staleness: 0,
      content,
      identity: contributor,
      bytes: this.#stream.bytes,
      tensors: tensors.length,
      stored,
      norm: findings.norm,
      maxima: undefined,
      sums: undefined,
    });
  }

  async takeBack(replay: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    this.#requireState("open", "broken");
    if (this.#added.length > 0 && !this.#init.sums.isExact) {
      throw this.#notTakenBack("was added to sums in float32, which cannot be restored");
    }
    this.#state = "returning";
    try {
      await this.#return(replay);
    } catch (cause) {
      if (this.#state === "returning") this.#state = "broken";
      throw cause;
    }
    this.#close();
    this.#init.onGone();
  }

  /** Lets go of the update, whatever is in the sums of it. */
  abandon(): void {
    if (this.#state !== "closed") this.#close();
  }

  async #return(replay: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    if (this.#added.length === 0) return;
    let seen = 0;
    const stream = this.#blocks((streamed, firstElement, count) => {
      const { sums, model, factor } = this.#init;
      if (!isFloatDtype(streamed.dtype)) return;
      const scanned = sums.scan(this.#staging, streamed, count);
      const wanted = this.#added[seen];
      if (!isSameBlock({ ...streamed, ...scanned, firstElement }, wanted)) {
        const name = model.tensors[streamed.tensor]?.name ?? "";
        throw this.#notTakenBack(`does not come again as it was: tensor ${quoted(name)} differs from element ${firstElement} on`);
      }
      // What an attempt before this one has taken back is only compared.
      if (seen === this.#returned) {
        sums.takeAway(this.#staging, streamed, firstElement, count, factor);
        this.#returned += 1;
      }
      seen += 1;
      if (seen === this.#added.length) stream.stop();
    });
    for await (const chunk of replay) {
      this.#requireState("returning");
      stream.write(chunk);
      if (this.#returned === this.#added.length) return;
    }
    throw this.#notTakenBack(`comes again with ${stream.bytes} bytes, which are not all that were added`);
  }

  #blocks(onBlock: ConstructorParameters<typeof BlockStream>[0]["onBlock"]): BlockStream {
    const { contributor, model } = this.#init;
    return new BlockStream({
      label: `stream of ${contributor}`,
      staging: this.#staging.bytes,
      begin: (layout) => {
        const tensors = streamedTensors(model, layout, contributor);
        this.#layout = layout;
        return tensors;
      },
      onBlock,
    });
  }

  #addBlock(streamed: StreamedTensor, firstElement: number, count: number): void {
    const { findings, sums, factor, guard } = this.#init;
    const { tensor, dtype } = streamed;
    const piece: Piece = { tensor, dtype, firstElement, count, at: 0, element: 0 };
    if (!isFloatDtype(dtype)) {
      findings.addInteger(piece, new PieceValues().raw(this.#staging.bytes, 0, dtype, count));
      this.#integers.take(piece, this.#staging.bytes);
      return;
    }
    // Of an update nothing of which was added, nothing may stay where its first block is refused.
    const folded = this.#added.length === 0 ? undefined : sums.fold(this.#staging, streamed, firstElement, count, factor);
    const scanned = folded ?? sums.scan(this.#staging, streamed, count);
    findings.addFloat(piece, scanned, () => {
      const stored = { kind: "plain", dtype, offset: 0 } as const;
      return new PieceValues().floats(this.#staging.bytes, { stored, at: 0, companionAt: -1, count }, piece);
    });
    guard?.(piece, scanned.maxAbs * factor);
    if (folded === undefined) sums.add(this.#staging, streamed, firstElement, count, factor);
    this.#added.push({ maxAbs: scanned.maxAbs, squares: scanned.squares, tensor, firstElement, dtype });
  }

  #break(): void {
    this.#state = "broken";
    if (this.#added.length > 0) return;
    this.#close();
    this.#init.onGone();
  }

  #close(): void {
    this.#state = "closed";
    this.#added = [];
    this.#init.sums.closeStaging(this.#staging);
  }

  #requireState(...states: readonly State[]): void {
    if (states.includes(this.#state)) return;
    const { contributor } = this.#init;
    throw new FlareError("aggregate/session-closed", `The stream of ${quoted(contributor)} was ended, refused or taken back.`, {
      facts: { contributor },
    });
  }

  #truncated(bytes: number): FlareError {
    const { contributor } = this.#init;
    const expectedBytes = this.#layout?.totalBytes;
    const wanted = expectedBytes === undefined ? "before its header does" : `where ${expectedBytes} were expected`;
    return new FlareError("aggregate/safetensors-truncated", `The stream of ${quoted(contributor)} ends after ${bytes} bytes, ${wanted}.`, {
      facts: { contributor, bytes, ...(expectedBytes === undefined ? {} : { expectedBytes }) },
    });
  }

  #notTakenBack(what: string): FlareError {
    const { contributor } = this.#init;
    return new FlareError("aggregate/not-taken-back", `The update of ${quoted(contributor)} ${what}.`, {
      facts: { contributor: contributor.slice(0, limits.peerTextChars) },
    });
  }
}

function isSameBlock(a: AddedBlock, b: AddedBlock | undefined): boolean {
  if (b === undefined || a.tensor !== b.tensor || a.firstElement !== b.firstElement || a.dtype !== b.dtype) return false;
  return a.maxAbs === b.maxAbs && a.squares === b.squares;
}
