import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type AggregationEngine, fedAvg } from "@flare-ts/aggregator";
import { FlareError } from "@flare-ts/contracts/errors";
import type { ServerJobPeer } from "../job-process/rpc-sides.js";
import { writeError } from "../store/file-model-store-disk.js";
import type { ObjectRef } from "../store/model-store.js";
import { isFaultOfUpdate } from "./round-aggregation.js";
import type { Contribution, WorkflowEffect } from "./workflow-machine.js";

/** What came of the models that sites have handed in. */
export interface CollectedModels {
  /** A whole model for each site. */
  readonly models: Readonly<Record<string, ObjectRef>>;
  /** Sites whose model cannot be used, and why. */
  readonly unusable: readonly (readonly [site: string, problem: FlareError])[];
}

/** Makes whole models of what sites hand in, each by itself: differences and compressed ones too. */
export class ModelCollection {
  readonly #engine: AggregationEngine;
  readonly #parent: Pick<ServerJobPeer, "call">;
  readonly #folder: string;
  readonly #stop = new AbortController();

  constructor(
    components: { readonly engine: AggregationEngine; readonly parent: Pick<ServerJobPeer, "call"> },
    init: { /** Where models are written before the parent takes them. */ readonly folder: string },
  ) {
    this.#engine = components.engine;
    this.#parent = components.parent;
    this.#folder = init.folder;
  }

  /** @throws what is no fault of the models */
  async collect({ model, contributions }: Extract<WorkflowEffect, { type: "collect" }>): Promise<CollectedModels> {
    const models: Record<string, ObjectRef> = {};
    const unusable: (readonly [string, FlareError])[] = [];
    const { path: base } = await this.#parent.call("objectPath", { hash: model.hash });
    await mkdir(this.#folder, { recursive: true });
    for (const contribution of contributions) {
      try {
        models[contribution.site] = await this.#whole(base, contribution);
      } catch (reason) {
        const error = FlareError.from(reason);
        if (!isFaultOfUpdate(error)) throw error;
        unusable.push([contribution.site, error]);
      }
    }
    return { models, unusable };
  }

  /** Stops what runs. */
  discard(): void {
    this.#stop.abort();
  }

  async #whole(base: string, { site, update, paramsType, weight }: Contribution): Promise<ObjectRef> {
    const { signal } = this.#stop;
    const outPath = join(this.#folder, "collected.safetensors");
    const { path: source } = await this.#parent.call("objectPath", { hash: update.hash });
    const session = await this.#engine.open({ model: base, strategy: fedAvg(), paramsType, check: "add", signal });
    try {
      await session.add({ contributor: site, source, weight, paramsType }, signal);
      await session
        .finish({ outPath, base, isDurable: false, isHashed: false, signal })
        .catch((reason: unknown) => Promise.reject(writeError(reason, outPath)));
    } finally {
      await session.discard();
    }
    return this.#parent.call("importObject", { path: outPath });
  }
}
