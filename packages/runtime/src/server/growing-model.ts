import type { FollowedFile, ModelStore, StoredObject } from "../store/model-store.js";

/**
 * The new model of a job, which the store hashes while the job's process still writes it: what is left at the end is the last piece. The
 * process says how far it is; whatever it says, the name that the model gets is the hash of the bytes that were read.
 */
export class GrowingModel {
  readonly #models: Pick<ModelStore, "follow" | "importFile" | "takeSpare">;
  #path = "";
  #followed: FollowedFile | undefined;
  #isOver = false;

  constructor(components: { readonly models: Pick<ModelStore, "follow" | "importFile" | "takeSpare"> }) {
    this.#models = components.models;
  }

  /** A file of about so many bytes is going to be written; it may have anything in it, as it is written over. */
  async begin(path: string, bytes: number): Promise<void> {
    await this.end();
    if (this.#isOver) return;
    await this.#models.takeSpare(bytes, path);
    this.#path = path;
    this.#followed = await this.#models.follow(path);
    // The job may have ended meanwhile. Node ends a process that leaves an open file to the garbage collector.
    if (this.#isOver) await this.end();
  }

  /** So many bytes stand in the file. */
  reached(path: string, bytes: number): void {
    if (path === this.#path) this.#followed?.reached(bytes);
  }

  /** Takes a file that was written into the store: this one, under another name, or any other. None is followed after that. */
  async take(path: string): Promise<StoredObject> {
    const followed = this.#followed;
    try {
      return await this.#models.importFile(path, { move: true, ...(followed === undefined ? {} : { followed }) });
    } finally {
      await this.end();
    }
  }

  /** The job is over: no file is followed any more, whatever its process, which may not know it yet, goes on to write. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.end();
  }

  /** Lets go of a file that is not finished. */
  async end(): Promise<void> {
    const followed = this.#followed;
    this.#followed = undefined;
    await followed?.end();
  }
}
