import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { FlareError } from "@flare-ts/contracts";
import { SubmitUpdateRequestSchema, TaskFailedSchema, TaskSpanSchema } from "@flare-ts/contracts/wire";
import { errorField, type Logger } from "../logging/logger.js";
import type { ModelStore } from "../store/model-store.js";
import type { ObjectRetention } from "../store/object-retention.js";
import type { SiteResult, SiteStore } from "../store/site-store.js";
import { backoffMs } from "../transfer/backoff.js";
import { sentWhole, type TransferAccount } from "../transfer/transfer-account.js";
import type { TransferClient } from "../transfer/transfer-client.js";
import { objectToWire, taskKeyText, taskKeyToWire } from "../transport/wire-values.js";
import type { ServerLink } from "./server-link.js";
import type { TaskReporter } from "./task-reporter.js";

export interface ResultDeliveryComponents {
  readonly link: Pick<ServerLink, "connection" | "tell">;
  readonly transfer: Pick<TransferClient, "upload">;
  readonly models: ModelStore;
  readonly store: SiteStore;
  readonly retention: ObjectRetention;
  readonly reporter: TaskReporter;
  readonly logger: Logger;
  readonly random: () => number;
}

/** Brings results to the server, each until it is acknowledged, over any number of connections. */
export class ResultDelivery {
  readonly #parts: ResultDeliveryComponents;
  readonly #underWay = new Map<string, Delivery>();
  readonly #stop = new AbortController();

  constructor(components: ResultDeliveryComponents) {
    this.#parts = components;
  }

  /** Goes on with what an earlier process of this site could not deliver. */
  async start(): Promise<void> {
    for (const result of await this.#parts.store.pendingResults()) this.deliver(result);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled([...this.#underWay.values()].map(({ done }) => done));
  }

  /** Gives up the results of a job that is over. */
  async drop(jobId: string): Promise<void> {
    for (const { result, abort, done } of this.#underWay.values()) {
      if (result.jobId !== jobId) continue;
      abort.abort();
      await done;
      await this.#parts.retention.release(resultHolder(result));
    }
  }

  /** Starts the delivery of a result, unless it is under way. */
  deliver(result: SiteResult): void {
    const key = taskKeyText(result);
    if (this.#underWay.has(key)) return;
    this.#parts.reporter.note(result, { phase: "waiting", done: 0, total: 0, reason: "waits for the server" });
    const abort = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, abort.signal]);
    const held = result.bytes === undefined ? this.#hold(result) : Promise.resolve();
    const done = held
      .then(() => this.#deliver(result, signal))
      .catch((error: unknown) => {
        if (!signal.aborted)
          this.#parts.logger.error("result could not be delivered", { job: result.jobId, round: result.round, error: errorField(error) });
      })
      .finally(() => {
        this.#underWay.delete(key);
        this.#parts.reporter.forget(result);
      });
    this.#underWay.set(key, { result, abort, done });
  }

  async #deliver(result: SiteResult, signal: AbortSignal): Promise<void> {
    const { link, store, retention, reporter, logger, random } = this.#parts;
    const key = taskKeyToWire(result);
    const log = logger.child({ job: result.jobId, round: result.round });
    for (let attempt = 0; ; attempt++) {
      try {
        let connection = await link.connection(signal);
        const inline = result.update.size <= connection.inlineBytes ? result.bytes : undefined;
        const account = inline === undefined ? await this.#upload(result, signal) : sentWhole(inline.byteLength);
        if (inline === undefined) connection = await link.connection(signal);
        const reply = await connection.submitUpdate(
          create(SubmitUpdateRequestSchema, {
            key,
            update: objectToWire(result.update),
            paramsType: result.paramsType,
            weight: result.weight,
            metricsJson: JSON.stringify(result.metrics),
            metaJson: JSON.stringify(result.meta),
            ...(inline === undefined ? {} : { updateBytes: inline }),
            spans: reporter.spansOf(result).map(({ ms, ...span }) => create(TaskSpanSchema, { ...span, ms: BigInt(ms) })),
          }),
          signal,
        );
        await store.acknowledge(result);
        await retention.release(resultHolder(result));
        log.info("update delivered", { outcome: reply.outcome, bytes: result.update.size, ...account });
        return;
      } catch (reason) {
        signal.throwIfAborted();
        const error = FlareError.from(reason);
        if (error.row.isRetryable) {
          log.debug("update was not taken yet", { attempt, error: errorField(error) });
          await sleep(backoffMs(attempt, random()), undefined, { signal });
          continue;
        }
        // The server will never take this result: the task has failed, and the workflow must know.
        link.tell({ case: "taskFailed", value: create(TaskFailedSchema, { key, errorJson: JSON.stringify(error) }) });
        await store.acknowledge(result);
        await retention.release(resultHolder(result));
        throw error;
      }
    }
  }

  async #upload(result: SiteResult, signal: AbortSignal): Promise<TransferAccount> {
    const { link, transfer, models, reporter } = this.#parts;
    const { update, base, bytes } = result;
    if (bytes !== undefined) {
      await this.#hold(result);
      await models.importBytes(bytes);
    }
    const onProgress = (done: number): void =>
      reporter.note(result, { phase: "uploading", done, total: update.size, reason: "the update" });
    const onWait = (reason: string): void => reporter.note(result, { phase: "waiting", done: 0, total: 0, reason });
    return await transfer.upload(() => link.connection(signal), update, onProgress, signal, { base, onWait });
  }

  /** Keeps what is uploaded, and what it may copy from. */
  #hold(result: SiteResult): Promise<void> {
    const { update, base } = result;
    return this.#parts.retention.hold(resultHolder(result), [update.hash, ...(base === undefined ? [] : [base.hash])]);
  }
}

interface Delivery {
  readonly result: SiteResult;
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/** Under this name the site keeps the bytes of a result until it is delivered. */
function resultHolder(result: SiteResult): string {
  return `result:${taskKeyText(result)}`;
}
