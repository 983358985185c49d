import { FlareError, limits } from "@flare-ts/contracts";
import type { Admission } from "../budget/admission.js";
import { errorField, type Logger } from "../logging/logger.js";
import { whileMoving } from "../progress/while-moving.js";
import type { ModelStore, ObjectRef, StoredObject } from "../store/model-store.js";
import type { Chunk, Connection } from "../transport/connection.js";
import { abortable } from "./abortable.js";
import { Backoff } from "./backoff.js";
import { SharedFlights } from "./shared-flights.js";
import { isSmall } from "./upload-leases.js";

/** Gives the live connection, or waits for the next one. */
export type ConnectionProvider = () => Promise<Connection>;

/** Hears why a transfer waits on this side. */
export type OnWait = (reason: string) => void;

/** Hears how many bytes of an object are at the other side (upload) or here (download). */
export type OnProgress = (done: number, total: number) => void;

/**
 * Brings objects to the server and from it, over as many connections as it takes: each attempt goes on at the durable
 * offset. What the receiver has is not sent again.
 */
export class TransferClient {
  readonly #store: ModelStore;
  readonly #logger: Logger | undefined;
  readonly #admission: Admission | undefined;
  readonly #downloads = new SharedFlights<StoredObject>();

  readonly #stallMs: number;

  constructor(
    components: {
      readonly store: ModelStore;
      /** Hears why a transfer waits. */
      readonly logger?: Logger;
      /** Lets transfers in as this side's memory and disk allow. */
      readonly admission?: Admission;
    },
    init: { /** An attempt that does not move for so long is broken off. @default limits.stallMs */ readonly stallMs?: number } = {},
  ) {
    this.#store = components.store;
    this.#admission = components.admission;
    this.#logger = components.logger;
    this.#stallMs = init.stallMs ?? limits.stallMs;
  }

  /**
   * Resolves when the server has an object of the local store, durable and verified.
   *
   * @throws FlareError what cannot be retried, such as `transfer/not-allowed`; `internal/aborted`
   */
  async upload(
    connect: ConnectionProvider,
    object: ObjectRef,
    onProgress?: OnProgress,
    signal?: AbortSignal,
    onWait?: OnWait,
  ): Promise<void> {
    await this.#admitted(object, "upload", { signal, onWait }, () => this.#upload(connect, object, onProgress, signal));
  }

  async #upload(connect: ConnectionProvider, object: ObjectRef, onProgress?: OnProgress, signal?: AbortSignal): Promise<void> {
    await this.#untilDone(connect, `The upload of object ${object.hash}`, signal, async (connection, noteProgress, moving) => {
      // The server answers when it has room, which may take its time: waiting is no standstill.
      const { isComplete, durableOffset } = await connection.stat(object, signal);
      if (isComplete) {
        onProgress?.(object.size, object.size);
        return true;
      }
      const start = Number(durableOffset);
      const report = (sent: number): void => {
        if (sent > start) noteProgress(sent);
        onProgress?.(sent, object.size);
      };
      report(start);
      const reply = await connection.upload(this.#chunks(object, start, report, moving), moving);
      return reply.isComplete ? true : undefined;
    });
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
    onWait?: OnWait,
  ): Promise<StoredObject> {
    const present = await this.#store.find(object.hash);
    if (present !== undefined) {
      onProgress?.(object.size, object.size);
      return present;
    }
    return await this.#downloads.join(object.hash, { onProgress, signal }, async (report, shared) =>
      this.#admitted(object, "download", { signal: shared, onWait }, () => this.#fetch(connect, object, report, shared)),
    );
  }

  async #admitted<Result>(
    object: ObjectRef,
    what: "upload" | "download",
    { signal, onWait }: { readonly signal: AbortSignal | undefined; readonly onWait: OnWait | undefined },
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

  async #fetch(connect: ConnectionProvider, object: ObjectRef, onProgress: OnProgress, signal: AbortSignal): Promise<StoredObject> {
    return await this.#untilDone(connect, `The download of object ${object.hash}`, signal, async (connection, noteProgress, moving) => {
      const present = await this.#store.find(object.hash);
      if (present !== undefined) return present;
      const writer = await this.#store.openWriter(object);
      try {
        onProgress(writer.offset, object.size);
        for await (const { offset, data } of connection.download(object, writer.offset, moving)) {
          if (offset !== writer.offset) {
            throw new FlareError(
              "transfer/wrong-offset",
              `The server sent offset ${offset} of object ${object.hash} where ${writer.offset} was due.`,
              {
                facts: { hash: object.hash, offset, due: writer.offset },
              },
            );
          }
          await writer.write(data);
          noteProgress(writer.offset);
          onProgress(writer.offset, object.size);
        }
        return await writer.commit();
      } finally {
        await writer.close();
      }
    });
  }

  async *#chunks(
    object: ObjectRef,
    start: number,
    report: (sent: number) => void,
    signal?: AbortSignal,
  ): AsyncGenerator<Chunk, void, undefined> {
    let offset = start;
    let isFirst = true;
    for await (const data of this.#store.read(object.hash, start, signal)) {
      yield isFirst ? { object, offset, data } : { offset, data };
      isFirst = false;
      offset += data.byteLength;
      report(offset);
    }
    // Even an object without (further) bytes must be named.
    if (isFirst) yield { object, offset, data: Buffer.alloc(0) };
  }

  /** Repeats an attempt on the next connection until it gives a result; one that does not move is broken off. */
  async #untilDone<Result>(
    connect: ConnectionProvider,
    what: string,
    signal: AbortSignal | undefined,
    attempt: (connection: Connection, noteProgress: (offset: number) => void, signal: AbortSignal) => Promise<Result | undefined>,
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
        const result = await whileMoving({ what, stallMs: this.#stallMs, signal }, async (mark, moving) => {
          const note = (offset: number): void => {
            mark(`the chunk that ended at byte ${offset}`);
            noteProgress();
          };
          return await attempt(connection, note, moving);
        });
        if (result !== undefined) return result;
      } catch (error) {
        if (signal?.aborted === true) throw FlareError.from(signal.reason);
        if (!(error instanceof FlareError)) throw error;
        // The part of an earlier attempt may have been damaged at rest; it is thrown away by now, so once more tells.
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

function isFull(code: string): boolean {
  return code === "transfer/disk-full" || code === "store/full";
}
