import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { addScaffoldControls, type ControlFileInit, removeScaffoldControls } from "@flare-ts/aggregator";
import type { ServerJobPeer } from "../job-process/rpc-sides.js";
import { writeError } from "../store/file-model-store-disk.js";
import type { ObjectRef } from "../store/model-store.js";
import type { ModelDress } from "./model-dress.js";

/**
 * Models of SCAFFOLD's rounds, which hold the control variates besides the weights, and models as anybody else wants them. What it makes of
 * a model depends on that alone, so a process that was killed leaves nothing that another one would not make again.
 */
export class ScaffoldModels implements ModelDress {
  readonly #parent: Pick<ServerJobPeer, "call">;
  readonly #folder: string;
  readonly #stop = new AbortController();

  constructor(
    components: { readonly parent: Pick<ServerJobPeer, "call"> },
    init: { /** Where models are written before the parent takes them. */ readonly folder: string },
  ) {
    this.#parent = components.parent;
    this.#folder = init.folder;
  }

  /** With control variates of zeros. */
  forSites(model: ObjectRef): Promise<ObjectRef> {
    return this.#make(model, "with-controls.safetensors", addScaffoldControls);
  }

  /** Without control variates. */
  forKeeping(model: ObjectRef): Promise<ObjectRef> {
    return this.#make(model, "without-controls.safetensors", removeScaffoldControls);
  }

  discard(): void {
    this.#stop.abort();
  }

  async #make(model: ObjectRef, name: string, write: (init: ControlFileInit) => Promise<void>): Promise<ObjectRef> {
    const { path: source } = await this.#parent.call("objectPath", { hash: model.hash });
    await mkdir(this.#folder, { recursive: true });
    const outPath = join(this.#folder, name);
    // The parent makes the file durable and hashes it when it takes it; the permission model denies fsync to this process.
    await write({ source, outPath, isDurable: false, signal: this.#stop.signal }).catch((reason: unknown) =>
      Promise.reject(writeError(reason, outPath)),
    );
    return this.#parent.call("importObject", { path: outPath });
  }
}
