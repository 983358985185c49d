import { FlareError, limits } from "@flare-ts/contracts";
import type { Admission } from "../budget/admission.js";
import { errorField, type Logger } from "../logging/logger.js";
import { whileMoving } from "../progress/while-moving.js";
import type { ModelStore, ObjectRef, StoredObject } from "../store/model-store.js";
import type { Chunk, Connection } from "../transport/connection.js";
import { abortable } from "./abortable.js";
import { Backoff } from "./backoff.js";
import { lengthOf, readableForms } from "./chunk-forms.js";
import { ChunkIntake } from "./chunk-intake.js";
import { type OutgoingObjectInit, openHeld, outgoingObject } from "./outgoing-object.js";
import { SharedFlights } from "./shared-flights.js";
import { SharedReads } from "./shared-reads.js";
import { type TransferAccount, TransferTally } from "./transfer-account.js";
import { isSmall } from "./upload-leases.js";

/** Gives the live connection, or waits for the next one. */
export type ConnectionProvider = () => Promise<Connection>;

/** Hears how many bytes of an object are on their way or at the other side (upload), or here (download); of all at last once the server has them. */
export type OnProgress = (done: number, total: number) => void;

/** How a transfer may save bytes. */
export interface TransferOptions {
  /** An object that both sides may hold and that is like this one: what is the same is copied instead of sent. */
  readonly base?: ObjectRef | undefined;
  /** Hears why the transfer waits on this side. */
  readonly onWait?: ((reason: string) => void) | undefined;
}

/**
 * Brings objects to the server and from it, over as many connections as it takes: each attempt goes on at the durable
 * offset. What the receiver has is not sent again.
 */
export class TransferClient {
  readonly #store: ModelStore;
  readonly #logger: Logger | undefined;
  readonly #admission: Admission | undefined;
  readonly #downloads = new SharedFlights<StoredObject>();

  readonly #reads = new SharedReads();
  readonly #now: () => number;
  readonly #stallMs: number;

  constructor(
    components: {
      readonly store: ModelStore;
      /** Hears why a transfer waits. */
      readonly logger?: Logger;
      /** Lets transfers in as this side's memory and disk allow. */
      readonly admission?: Admission;
      /** Milliseconds of a steady clock. @default performance.now */
      readonly now?: () => number;
    },
    init: { /** An attempt that does not move for so long is broken off. @default limits.stallMs */ readonly stallMs?: number } = {},
  ) {
    this.#store = components.store;
    this.#admission = components.admission;
    this.#logger = components.logger;
    this.#stallMs = init.stallMs ?? limits.stallMs;
    this.#now = components.now ?? (() => performance.now());
  }

  /**
   * Resolves when the server has an object of the local store, durable and verified, with what was sent for it.
   *
   * @throws FlareError what cannot be retried, such as `transfer/not-allowed`; `internal/aborted`
   */
  async upload(
    connect: ConnectionProvider,
    object: ObjectRef,
    onProgress?: OnProgress,
    signal?: AbortSignal,
    options: TransferOptions = {},
  ): Promise<TransferAccount> {
    const tally = new TransferTally();
    await this.#admitted(object, "upload", signal, options, () => this.#upload(connect, object, onProgress, signal, options.base, tally));
    return tally.account;
  }

  async #upload(
    connect: ConnectionProvider,
    object: ObjectRef,
    onProgress: OnProgress | undefined,
    signal: AbortSignal | undefined,
    wantedBase: ObjectRef | undefined,
    tally: TransferTally,
  ): Promise<void> {
    await this.#untilDone(
      connect,
      `The upload of object ${object.hash}`,
      signal,
      async (connection, { noteProgress, isPlain, waiting, moving }) => {
        const base = isPlain ? undefined : wantedBase;
        // The server answers when it has room, which may take its time: waiting is no standstill.
        const state = await waiting(connection.stat(object, moving, base));
        if (state.isComplete) {
          onProgress?.(object.size, object.size);
          return true;
        }
        const offset = state.durableOffset;
        const report = (sent: number): void => {
          if (sent > offset) noteProgress(sent);
          onProgress?.(sent, object.size);
        };
        report(offset);
        const init = {
          object,
          offset,
          forms: isPlain ? [] : (state.forms ?? []),
          base: state.isBaseHeld === true ? base : undefined,
          signal: moving,
        };
        const reply = await connection.upload(this.#chunks(init, tally, report), moving);
        if (!reply.isComplete) return undefined;
        onProgress?.(object.size, object.size);
        return true;
      },
    );
  }

  /**
   * Resolves with an object in the local store, fetching it unless it is there. Concurrent calls for one object share
   * one transfer, which stops when every caller has aborted.
   *
   * @throws FlareError what cannot be retried, such as `transfer/object-missing`; `internal/aborted`
   */
  async download(
    connect: ConnectionProvider,
    object: ObjectRef,
    onProgress?: OnProgress,
    signal?: AbortSignal,
    options: TransferOptions = {},
  ): Promise<StoredObject> {
    const present = await this.#store.find(object.hash);
    if (present !== undefined) {
      onProgress?.(object.size, object.size);
      return present;
    }
    return await this.#downloads.join(object.hash, { onProgress, signal }, async (report, shared) =>
      this.#admitted(object, "download", shared, options, () => this.#fetch(connect, object, report, shared, options.base)),
    );
  }

  async #admitted<Result>(
    object: ObjectRef,
    what: "upload" | "download",
    signal: AbortSignal | undefined,
    { onWait }: TransferOptions,
    move: () => Promise<Result>,
  ): Promise<Result> {
    const request = { who: `object ${object.hash.slice(0, 12)}`, what, diskBytes: what === "upload" ? 0 : object.size };
    const admitted = isSmall(object) ? undefined : await this.#admission?.enter(request, signal, onWait);
    try {
      return await move();
    } finally {
      admitted?.leave();
    }
  }

  async #fetch(
    connect: ConnectionProvider,
    object: ObjectRef,
    onProgress: OnProgress,
    signal: AbortSignal,
    wantedBase: ObjectRef | undefined,
  ): Promise<StoredObject> {
    const tally = new TransferTally();
    const what = `The download of object ${object.hash}`;
    const stored = await this.#untilDone(connect, what, signal, async (connection, { noteProgress, isPlain, moving }) => {
      const present = await this.#store.find(object.hash);
      if (present !== undefined) return present;
      const writer = await this.#store.openWriter(object);
      const base = isPlain || wantedBase === undefined ? undefined : await openHeld(this.#store, wantedBase);
      const intake = new ChunkIntake({ writer });
      try {
        onProgress(writer.offset, object.size);
        const means = { forms: isPlain ? [] : readableForms(), base: base === undefined ? undefined : wantedBase };
        for await (const chunk of connection.download(object, writer.offset, moving, means)) {
          checkReply(chunk, writer.offset, object, means.base);
          tally.count(chunk);
          await intake.take(chunk, base);
          noteProgress(writer.offset);
          onProgress(writer.offset, object.size);
        }
        await intake.settled();
        return await writer.commit();
      } finally {
        await intake.settled().catch(() => false);
        await Promise.all([writer.close(), base?.close()]);
      }
    });
    // Models are worth a line, the small files of a job are not.
    const level = object.size >= limits.chunkBytes ? "info" : "debug";
    this.#logger?.[level]("object fetched", { hash: object.hash, bytes: object.size, ...tally.account });
    return stored;
  }

  async *#chunks(init: OutgoingObjectInit, tally: TransferTally, report: (sent: number) => void): AsyncGenerator<Chunk, void, undefined> {
    const { object, offset } = init;
    let isFirst = true;
    for await (const chunk of outgoingObject({ store: this.#store, reads: this.#reads, now: this.#now }, init)) {
      tally.count(chunk);
      yield isFirst ? { ...chunk, object } : chunk;
      isFirst = false;
      report(chunk.offset + lengthOf(chunk));
    }
    // Even an object without (further) bytes must be named.
    if (isFirst) yield { object, offset, data: Buffer.alloc(0) };
  }

  /** Repeats an attempt on the next connection until it gives a result; one that does not move is broken off. */
  async #untilDone<Result>(
    connect: ConnectionProvider,
    what: string,
    signal: AbortSignal | undefined,
    attempt: (connection: Connection, terms: AttemptTerms) => Promise<Result | undefined>,
  ): Promise<Result> {
    const backoff = new Backoff();
    let mismatches = 0;
    let lastCode = "";
    for (;;) {
      const connection = await abortable(connect(), signal);
      try {
        // Bytes that a full disk did not take are no progress: without this the sender would hammer it.
        const noteProgress = (): void => {
          if (!isFull(lastCode)) backoff.reset();
        };
        const result = await whileMoving({ what, stallMs: this.#stallMs, signal }, async (watch, moving) => {
          const note = (offset: number): void => {
            watch.mark(`the chunk that ended at byte ${offset}`);
            noteProgress();
          };
          const waiting = async <Reply>(reply: Promise<Reply>): Promise<Reply> => {
            watch.pause();
            const answer = await reply;
            watch.resume("its start");
            return answer;
          };
          return await attempt(connection, { noteProgress: note, isPlain: mismatches > 0, waiting, moving });
        });
        if (result !== undefined) return result;
      } catch (error) {
        if (signal?.aborted === true) throw FlareError.from(signal.reason);
        if (!(error instanceof FlareError)) throw error;
        // The part of an earlier attempt, or the base, may have been damaged at rest; the part is thrown away by now, so once
        // more, without the base, tells.
        const isFirstMismatch = error.code === "transfer/hash-mismatch" && mismatches++ === 0;
        if (!error.row.isRetryable && !isFirstMismatch) throw error;
        const { code } = error;
        // A broken connection is told of by whoever holds it.
        if (code !== lastCode && code !== "transfer/disconnected") this.#logger?.warn("transfer waits", { error: errorField(error) });
        lastCode = code;
      }
      await backoff.wait(signal);
    }
  }
}

interface AttemptTerms {
  readonly noteProgress: (offset: number) => void;
  /** Waits for what the other side may take its time for. */
  readonly waiting: <Reply>(reply: Promise<Reply>) => Promise<Reply>;
  /** Ends the attempt, also when it stands still. */
  readonly moving: AbortSignal;
  /** Whether every byte is to be sent, as an attempt to send less came to other bytes than it should. */
  readonly isPlain: boolean;
}

function checkReply(chunk: Chunk, due: number, { hash }: ObjectRef, base: ObjectRef | undefined): void {
  const { offset } = chunk;
  if (chunk.base !== undefined && chunk.base !== base?.hash)
    throw new FlareError("transfer/protocol", `The server copies from object ${chunk.base}, which was not offered.`);
  if (offset === due) return;
  throw new FlareError("transfer/wrong-offset", `The server sent offset ${offset} of object ${hash} where ${due} was due.`, {
    facts: { hash, offset, due },
  });
}

function isFull(code: string): boolean {
  return code === "transfer/disk-full" || code === "store/full";
}
