import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { claimInstance, type InstanceLock } from "../process/instance-lock.js";
import { FileModelStore } from "../store/file-model-store.js";
import { diskError } from "../store/file-model-store-disk.js";
import type { ModelStore } from "../store/model-store.js";
import { TransferClient } from "../transfer/transfer-client.js";

/** What one transfer of an admin has to itself while it lasts. */
export interface TransferStore {
  /** Keeps what is on its way, so that a transfer goes on where it was. */
  readonly models: ModelStore;
  readonly transfer: TransferClient;
}

/**
 * Stores of an admin's kit, each of which one transfer at a time has: what one no longer needs, another may just be sending, from a second
 * terminal as from the same process. The first that is free is taken, so that a transfer that was broken off finds what it had.
 */
export class TransferStores {
  readonly #folder: string;
  readonly #now: () => number;

  constructor(components: { readonly now: () => number }, init: { /** Folder of the stores. */ readonly folder: string }) {
    this.#now = components.now;
    this.#folder = init.folder;
  }

  /** @throws FlareError `file/unwritable`, `transfer/disk-full`, and what the action throws */
  async use<Result>(action: (store: TransferStore) => Promise<Result>): Promise<Result> {
    const { root, lock } = await this.#claim();
    try {
      const models = await FileModelStore.open({ root });
      return await action({ models, transfer: new TransferClient({ store: models }) });
    } finally {
      lock.release();
    }
  }

  async #claim(): Promise<{ readonly root: string; readonly lock: InstanceLock }> {
    for (let number = 1; ; number++) {
      const root = join(this.#folder, number === 1 ? "models" : `models-${number}`);
      try {
        await mkdir(root, { recursive: true, mode: 0o700 });
        return { root, lock: claimInstance(root, this.#now()) };
      } catch (error) {
        if (!(error instanceof FlareError)) throw diskError(error, root);
        if (error.code !== "runtime/already-running") throw error;
      }
    }
  }
}
