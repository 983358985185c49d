import { FlareError, limits } from "@flare-ts/contracts";
import type { ModelStore, ObjectRef, ObjectWriter } from "../store/model-store.js";
import type { CallContext, Chunk, ServerHandlers, TransferGuard } from "../transport/connection.js";

export interface TransferServerComponents {
  readonly store: ModelStore;
  readonly guard: TransferGuard;
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
  readonly #uploads = new Map<string, RunningUpload>();

  constructor(components: TransferServerComponents) {
    this.#store = components.store;
    this.#guard = components.guard;
  }

  /** @throws FlareError `transfer/not-allowed`, `transfer/size-mismatch` */
  async stat({ identity }: CallContext, object: ObjectRef): Promise<ObjectState> {
    const isAllowed = (await this.#guard.mayWrite(identity, object)) || (await this.#guard.mayRead(identity, object.hash));
    if (!isAllowed) throw notAllowed(identity.name, object, "see");
    return await this.#state(object);
  }

  /** @throws FlareError `transfer/not-allowed`, `transfer/hash-mismatch`, `transfer/size-mismatch`, `transfer/disk-full` */
  async upload(context: CallContext, object: ObjectRef, chunks: AsyncIterable<Chunk>): Promise<ObjectState> {
    const { identity, signal } = context;
    if (!(await this.#guard.mayWrite(identity, object))) throw notAllowed(identity.name, object, "write");
    const running = await this.#takeTurn(identity.name, object, signal);
    try {
      const state = await this.#state(object);
      if (state.isComplete) return state;
      return await this.#receive(object, chunks, running, signal);
    } finally {
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
    let at = offset;
    for await (const data of this.#store.read(object.hash, offset, signal)) {
      yield { offset: at, data };
      at += data.byteLength;
    }
  }

  async #receive(object: ObjectRef, chunks: AsyncIterable<Chunk>, running: RunningUpload, signal: AbortSignal): Promise<ObjectState> {
    const writer = await this.#store.openWriter(object);
    try {
      for await (const { offset, data } of chunks) {
        signal.throwIfAborted();
        // What is there already is skipped; a gap ends the stream, and its sender goes on from the durable offset.
        const known = writer.offset - offset;
        if (known < 0) break;
        if (known < data.byteLength) await writer.write(known === 0 ? data : data.subarray(known));
        running.lastProgressMs = performance.now();
      }
      if (writer.offset === object.size) await writer.commit();
    } finally {
      await this.#close(writer);
    }
    return await this.#state(object);
  }

  async #close(writer: ObjectWriter): Promise<void> {
    await writer.close();
  }

  /**
   * One upload of an object at a time. A participant's own newer upload takes over at once: its older one is dead or
   * will be. Somebody else's waits, since two that take over from each other would never end, unless the running one
   * has stopped making progress.
   */
  async #takeTurn(name: string, object: ObjectRef, signal: AbortSignal): Promise<RunningUpload> {
    for (;;) {
      const running = this.#uploads.get(object.hash);
      const idleMs = running === undefined ? 0 : performance.now() - running.lastProgressMs;
      if (running === undefined || running.name === name || idleMs > limits.silenceMs) {
        const mine = startUpload(name);
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
  readonly finished: Promise<void>;
  readonly finish: () => void;
  lastProgressMs: number;
}

function startUpload(name: string): RunningUpload {
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return { name, finished, finish, lastProgressMs: performance.now() };
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
