import { FlareError, limits } from "@flare-ts/contracts";
import type { Admission, Admitted } from "../budget/admission.js";
import type { ModelStore, ObjectRef, ObjectWriter } from "../store/model-store.js";
import type { CallContext, Chunk, ServerHandlers, TransferGuard } from "../transport/connection.js";
import { isSmall, UploadLeases } from "./upload-leases.js";

export interface TransferServerComponents {
  readonly store: ModelStore;
  readonly guard: TransferGuard;
  /** Lets transfers in as memory and disk allow. */
  readonly admission?: Admission | undefined;
}

/** How far an object is. */
export interface ObjectState {
  readonly isComplete: boolean;
  readonly durableOffset: number;
}

/** The server's side of transfers: objects in and out of the store, for those who may. */
export class TransferServer implements Pick<ServerHandlers, "stat" | "upload" | "download"> {
  readonly #store: ModelStore;
  readonly #guard: TransferGuard;
  readonly #admission: Admission | undefined;
  readonly #leases: UploadLeases;
  readonly #uploads = new Map<string, RunningUpload>();

  constructor(components: TransferServerComponents) {
    this.#store = components.store;
    this.#guard = components.guard;
    this.#admission = components.admission;
    this.#leases = new UploadLeases(components);
  }

  /** @throws FlareError `transfer/not-allowed`, `transfer/size-mismatch` */
  async stat({ identity, sessionId, signal }: CallContext, object: ObjectRef): Promise<ObjectState> {
    const mayWrite = await this.#guard.mayWrite(identity, object);
    if (!mayWrite && !(await this.#guard.mayRead(identity, object.hash))) throw notAllowed(identity.name, object, "see");
    const running = this.#uploads.get(object.hash);
    // What an upload over a lost connection left unwritten becomes durable now, instead of being sent again.
    if (running !== undefined && isOutlived(running, identity.name, sessionId)) {
      await running.writer?.close();
      running.admitted?.leave();
    }
    const { isComplete, durableOffset } = await this.#state(object);
    if (isComplete || !mayWrite) return { isComplete, durableOffset };
    await this.#leases.grant(identity.name, object, object.size - durableOffset, signal);
    // Somebody else may have sent it meanwhile.
    return await this.#state(object);
  }

  /** @throws FlareError `transfer/not-allowed`, `transfer/hash-mismatch`, `transfer/size-mismatch`, `transfer/disk-full` */
  async upload(context: CallContext, object: ObjectRef, chunks: AsyncIterable<Chunk>): Promise<ObjectState> {
    const { identity, sessionId, signal } = context;
    if (!(await this.#guard.mayWrite(identity, object))) throw notAllowed(identity.name, object, "write");
    const running = await this.#takeTurn(object, identity.name, sessionId, signal);
    try {
      const state = await this.#state(object);
      running.admitted = await this.#leases.take(identity.name, object, object.size - state.durableOffset, signal);
      return state.isComplete ? state : await this.#receive(object, chunks, running);
    } finally {
      running.admitted?.leave();
      if (this.#uploads.get(object.hash) === running) this.#uploads.delete(object.hash);
      running.finish();
    }
  }

  /** @throws FlareError `transfer/not-allowed`, `transfer/object-missing`, `transfer/wrong-offset` */
  async *download({ identity, signal }: CallContext, object: ObjectRef, offset: number): AsyncGenerator<Chunk, void, undefined> {
    if (!(await this.#guard.mayRead(identity, object.hash))) throw notAllowed(identity.name, object, "read");
    const found = await this.#store.find(object.hash);
    if (found === undefined)
      throw new FlareError("transfer/object-missing", `Object ${object.hash} is not in the store.`, { facts: { hash: object.hash } });
    if (found.size !== object.size) throw sizeMismatch(object, found.size);
    const request = { who: identity.name, what: "download", diskBytes: 0 };
    const admitted = isSmall(object) ? undefined : await this.#admission?.enter(request, signal);
    try {
      let at = offset;
      for await (const data of this.#store.read(object.hash, offset, signal)) {
        yield { offset: at, data };
        at += data.byteLength;
        admitted?.note(data.byteLength);
      }
    } finally {
      admitted?.leave();
    }
  }

  async #receive(object: ObjectRef, chunks: AsyncIterable<Chunk>, running: RunningUpload): Promise<ObjectState> {
    const writer = await this.#store.openWriter(object);
    running.writer = writer;
    try {
      for await (const { offset, data } of chunks) {
        // What is there already is skipped; a gap ends the stream, and its sender goes on from the durable offset.
        const known = writer.offset - offset;
        if (known < 0) break;
        if (known < data.byteLength) await writer.write(known === 0 ? data : data.subarray(known));
        running.lastProgressMs = performance.now();
        running.admitted?.note(data.byteLength);
      }
      if (writer.offset === object.size) await writer.commit();
    } finally {
      await writer.close();
    }
    return await this.#state(object);
  }

  /**
   * One upload of an object at a time. A participant's newer session takes over at once, for its older one is dead or
   * will be. Any other upload waits, since two that take over from each other would never end, unless the running one
   * has stopped making progress.
   */
  async #takeTurn(object: ObjectRef, name: string, sessionId: string, signal: AbortSignal): Promise<RunningUpload> {
    for (;;) {
      const running = this.#uploads.get(object.hash);
      const idleMs = running === undefined ? 0 : performance.now() - running.lastProgressMs;
      if (running === undefined || isOutlived(running, name, sessionId) || idleMs > limits.silenceMs) {
        const mine = startUpload(name, sessionId);
        this.#uploads.set(object.hash, mine);
        return mine;
      }
      await settledOrWaited(running.finished, limits.silenceMs - idleMs + 1, signal);
    }
  }

  async #state(object: ObjectRef): Promise<ObjectState> {
    const found = await this.#store.find(object.hash);
    if (found === undefined) return { isComplete: false, durableOffset: await this.#store.durableOffset(object) };
    if (found.size !== object.size) throw sizeMismatch(object, found.size);
    return { isComplete: true, durableOffset: found.size };
  }
}

interface RunningUpload {
  readonly name: string;
  readonly sessionId: string;
  readonly finished: Promise<void>;
  readonly finish: () => void;
  writer: ObjectWriter | undefined;
  admitted: Admitted | undefined;
  lastProgressMs: number;
}

function isOutlived(running: RunningUpload, name: string, sessionId: string): boolean {
  return running.name === name && running.sessionId !== sessionId;
}

function startUpload(name: string, sessionId: string): RunningUpload {
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return { name, sessionId, finished, finish, writer: undefined, admitted: undefined, lastProgressMs: performance.now() };
}

async function settledOrWaited(work: Promise<void>, waitMs: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let timer: NodeJS.Timeout | undefined;
  let stop: (() => void) | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(resolve, waitMs);
      stop = () => reject(signal.reason as Error);
      signal.addEventListener("abort", stop);
      void work.then(resolve);
    });
  } finally {
    clearTimeout(timer);
    if (stop !== undefined) signal.removeEventListener("abort", stop);
  }
}

function notAllowed(name: string, object: ObjectRef, verb: string): FlareError {
  return new FlareError("transfer/not-allowed", `${JSON.stringify(name)} may not ${verb} object ${object.hash}.`, {
    facts: { name, hash: object.hash },
  });
}

function sizeMismatch(object: ObjectRef, size: number): FlareError {
  return new FlareError("transfer/size-mismatch", `Object ${object.hash} has ${size} bytes, not ${object.size}.`, {
    facts: { hash: object.hash, announced: object.size, size },
  });
}
