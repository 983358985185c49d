import type { FileHandle } from "node:fs/promises";
import { type ContentHash, FlareError, limits } from "@flare-ts/contracts";
import type { Admission, Admitted } from "../budget/admission.js";
import type { Identity } from "../session/identity.js";
import type { ModelStore, ObjectRef, ObjectWriter } from "../store/model-store.js";
import type { CallContext, Chunk, ObjectState, ReceiverMeans, ServerHandlers, TransferGuard } from "../transport/connection.js";
import { lengthOf, readableForms } from "./chunk-forms.js";
import { ChunkIntake } from "./chunk-intake.js";
import { openHeld, outgoingObject } from "./outgoing-object.js";
import type { Possession } from "./possession.js";
import { ProofWriter } from "./proof-writer.js";
import { SharedReads } from "./shared-reads.js";
import { type TransferAccount, TransferTally } from "./transfer-account.js";
import { isSmall, UploadLeases } from "./upload-leases.js";
import { UploadTallies } from "./upload-tallies.js";

export interface TransferServerComponents {
  readonly store: ModelStore;
  readonly guard: TransferGuard;
  /** Who has which object. @default everybody is told of every object that may be written */
  readonly possession?: Possession | undefined;
  /** Lets transfers in as memory and disk allow. */
  readonly admission?: Admission | undefined;
  /** Hears what went over the link when an object has been sent to its end. */
  readonly onSent?: (name: string, object: ObjectRef, account: TransferAccount) => void;
  /** Milliseconds of a steady clock. @default performance.now */
  readonly now?: () => number;
}

/** The server's side of transfers: objects in and out of the store, for those who may. */
export class TransferServer implements Pick<ServerHandlers, "stat" | "upload" | "download"> {
  readonly #store: ModelStore;
  readonly #guard: TransferGuard;
  readonly #possession: Possession;
  readonly #admission: Admission | undefined;
  readonly #leases: UploadLeases;
  readonly #onSent: TransferServerComponents["onSent"];
  readonly #now: () => number;
  readonly #uploads = new Map<string, RunningUpload>();
  readonly #tallies = new UploadTallies();
  readonly #reads = new SharedReads();

  constructor(components: TransferServerComponents) {
    this.#store = components.store;
    this.#guard = components.guard;
    this.#possession = components.possession ?? { has: () => true, note: () => undefined };
    this.#onSent = components.onSent;
    this.#now = components.now ?? (() => performance.now());
    this.#admission = components.admission;
    this.#leases = new UploadLeases(components);
  }

  /** @throws FlareError `transfer/not-allowed`, `transfer/size-mismatch` */
  async stat({ identity, sessionId, signal }: CallContext, object: ObjectRef, base?: ObjectRef): Promise<ObjectState> {
    const mayWrite = await this.#guard.mayWrite(identity, object);
    if (!mayWrite && !(await this.#guard.mayRead(identity, object.hash))) throw notAllowed(identity.name, object, "see");
    const running = this.#uploads.get(object.hash);
    // What an upload over a lost connection left unwritten becomes durable now, instead of being sent again.
    if (running !== undefined && isOutlived(running, identity.name, sessionId)) {
      await running.writer?.close();
      running.admitted?.leave();
    }
    const { isComplete, durableOffset } = await this.#stateFor(identity, object);
    if (!isComplete && mayWrite) await this.#leases.grant(identity.name, object, object.size - durableOffset, signal);
    const held = base === undefined || !(await this.#guard.mayRead(identity, base.hash)) ? undefined : await this.#store.find(base.hash);
    // Counted from here: what is complete already takes nothing.
    this.#tallies.of(identity.name, object.hash);
    // Somebody else may have sent the object while this one waited for room.
    return {
      ...(await this.#stateFor(identity, object)),
      forms: readableForms(),
      isBaseHeld: held !== undefined && held.size === base?.size,
    };
  }

  /** @throws FlareError `transfer/not-allowed`, `transfer/hash-mismatch`, `transfer/size-mismatch`, `transfer/disk-full` */
  async upload(context: CallContext, object: ObjectRef, chunks: AsyncIterable<Chunk>): Promise<ObjectState> {
    const { identity, sessionId, signal } = context;
    if (!(await this.#guard.mayWrite(identity, object))) throw notAllowed(identity.name, object, "write");
    const running = await this.#takeTurn(object, identity.name, sessionId, signal);
    try {
      const state = await this.#stateFor(identity, object);
      running.admitted = await this.#leases.take(identity.name, object, object.size - state.durableOffset, signal);
      if (state.isComplete) return state;
      const received = await this.#receive(identity, object, chunks, running);
      if (received.isComplete) this.#possession.note(identity, object.hash);
      return received;
    } finally {
      running.admitted?.leave();
      if (this.#uploads.get(object.hash) === running) this.#uploads.delete(object.hash);
      running.finish();
    }
  }

  /** @throws FlareError `transfer/not-allowed`, `transfer/object-missing`, `transfer/wrong-offset` */
  async *download(
    { identity, signal }: CallContext,
    object: ObjectRef,
    offset: number,
    { forms, base }: ReceiverMeans,
  ): AsyncGenerator<Chunk, void, undefined> {
    if (!(await this.#guard.mayRead(identity, object.hash))) throw notAllowed(identity.name, object, "read");
    const found = await this.#store.find(object.hash);
    if (found === undefined)
      throw new FlareError("transfer/object-missing", `Object ${object.hash} is not in the store.`, { facts: { hash: object.hash } });
    if (found.size !== object.size) throw sizeMismatch(object, found.size);
    // What of an object is the same would tell of it: only who may read it is told.
    const known = base !== undefined && (await this.#guard.mayRead(identity, base.hash)) ? base : undefined;
    const parts = { store: this.#store, reads: this.#reads, now: this.#now };
    const tally = new TransferTally();
    const request = { who: identity.name, what: "download", diskBytes: 0 };
    const admitted = isSmall(object) ? undefined : await this.#admission?.enter(request, signal);
    try {
      for await (const chunk of outgoingObject(parts, { object, offset, forms, base: known, signal })) {
        tally.count(chunk);
        yield chunk;
        admitted?.note(lengthOf(chunk));
      }
    } finally {
      admitted?.leave();
    }
    this.#onSent?.(identity.name, object, tally.account);
  }

  /** What a participant's upload of an object took, over all connections; once, and `undefined` where it is not known (any more). */
  takeAccount(name: string, hash: ContentHash): TransferAccount | undefined {
    return this.#tallies.take(name, hash);
  }

  async #receive(identity: Identity, object: ObjectRef, chunks: AsyncIterable<Chunk>, running: RunningUpload): Promise<ObjectState> {
    // What is held is sent all the same by whoever has yet to prove to have it.
    const held = await this.#store.find(object.hash);
    const writer = held === undefined ? await this.#store.openWriter(object) : new ProofWriter(held);
    running.writer = writer;
    const tally = this.#tallies.of(identity.name, object.hash);
    const intake = new ChunkIntake({ writer });
    let base: FileHandle | undefined;
    try {
      let isWhole = true;
      for await (const chunk of chunks) {
        if (chunk.base !== undefined && base === undefined) base = await this.#openBase(identity, chunk.base);
        tally.count(chunk);
        // A gap ends the stream, and its sender goes on from the durable offset.
        isWhole = await intake.take(chunk, base);
        if (!isWhole) break;
        running.lastProgressMs = this.#now();
        running.admitted?.note(lengthOf(chunk));
      }
      const isAll = isWhole && (await intake.settled()) && writer.offset === object.size;
      if (isAll) await writer.commit();
      else if (held !== undefined) return { isComplete: false, durableOffset: 0 };
    } finally {
      await intake.settled().catch(() => false);
      await Promise.all([writer.close(), base?.close()]);
    }
    return await this.#state(object);
  }

  async #openBase(identity: Identity, hash: ContentHash): Promise<FileHandle> {
    if (!(await this.#guard.mayRead(identity, hash)))
      throw new FlareError("transfer/not-allowed", `${JSON.stringify(identity.name)} may not copy from object ${hash}.`, {
        facts: { name: identity.name, hash },
      });
    const held = await this.#store.find(hash);
    const file = held === undefined ? undefined : await openHeld(this.#store, held);
    if (file === undefined)
      throw new FlareError("transfer/base-missing", `Object ${hash} is not in the store any more.`, { facts: { hash } });
    return file;
  }

  /**
   * One upload of an object at a time. A participant's newer session takes over at once, for its older one is dead or
   * will be. Any other upload waits, since two that take over from each other would never end, unless the running one
   * has stopped making progress.
   */
  async #takeTurn(object: ObjectRef, name: string, sessionId: string, signal: AbortSignal): Promise<RunningUpload> {
    for (;;) {
      const running = this.#uploads.get(object.hash);
      const idleMs = running === undefined ? 0 : this.#now() - running.lastProgressMs;
      if (running === undefined || isOutlived(running, name, sessionId) || idleMs > limits.silenceMs) {
        const mine = startUpload(name, sessionId, this.#now());
        this.#uploads.set(object.hash, mine);
        return mine;
      }
      await settledOrWaited(running.finished, limits.silenceMs - idleMs + 1, signal);
    }
  }

  /** As a participant may know it. */
  async #stateFor(identity: Identity, object: ObjectRef): Promise<ObjectState> {
    const state = await this.#state(object);
    return state.isComplete && !this.#possession.has(identity, object.hash) ? { isComplete: false, durableOffset: 0 } : state;
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

function startUpload(name: string, sessionId: string, nowMs: number): RunningUpload {
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return { name, sessionId, finished, finish, writer: undefined, admitted: undefined, lastProgressMs: nowMs };
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
