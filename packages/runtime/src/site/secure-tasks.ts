import { FlareError } from "@flare-ts/contracts/errors";
import type { TaskKey } from "../job/job-event.js";
import type { TrainerResult } from "../job-process/job-channel.js";
import { errorField } from "../logging/logger.js";
import type { SecureTask } from "../secure-aggregation/task-meta.js";
import { isObject } from "../store/is-object.js";
import type { ModelStore, ObjectRef } from "../store/model-store.js";
import type { ObjectRetention } from "../store/object-retention.js";
import type { SiteStore } from "../store/site-store.js";
import type { TransferClient } from "../transfer/transfer-client.js";
import type { ResultDelivery } from "./result-delivery.js";
import {
  refusal,
  type SecureAnswer,
  SecureUpdates,
  type SecureUpdatesComponents,
  type SecureUpdatesInit,
  secureHolder,
} from "./secure-updates.js";
import type { ServerLink } from "./server-link.js";
import type { TaskModels } from "./task-models.js";

export interface SecureTasksComponents extends Omit<SecureUpdatesComponents, "fetch" | "pathForAnswer" | "store" | "models" | "retention"> {
  readonly store: SiteStore;
  readonly models: ModelStore;
  readonly retention: ObjectRetention;
  readonly link: ServerLink;
  readonly transfer: TransferClient;
  readonly delivery: Pick<ResultDelivery, "deliver">;
  readonly taskModels: Pick<TaskModels, "holdAnswer" | "pathForAnswer">;
  /** Carries out what writes, again for as long as the disk is full. */
  readonly whenThereIsRoom: <Result>(action: () => Promise<Result>, signal?: AbortSignal) => Promise<Result>;
}

/** A task whose update is to be masked, or a step that is to be answered. */
export interface SecureTaskInit {
  readonly key: TaskKey;
  readonly secure: SecureTask | undefined;
  readonly model: ObjectRef;
  readonly signal: AbortSignal;
}

/** What a site's job hands in where its updates are masked: those, and its answers to steps. Each durably, on its way to the server. */
export class SecureTasks {
  readonly #parts: SecureTasksComponents;
  readonly #init: SecureUpdatesInit;
  readonly #updates: SecureUpdates;

  constructor(components: SecureTasksComponents, init: SecureUpdatesInit) {
    this.#parts = components;
    this.#init = init;
    this.#updates = new SecureUpdates(
      {
        ...components,
        fetch: (object, signal) => this.#fetch(object, undefined, signal),
        pathForAnswer: () => components.taskModels.pathForAnswer(),
      },
      init,
    );
  }

  /**
   * Answers a step.
   *
   * @param inline - its document, where that came in the task
   * @throws FlareError `secure/refused`, `secure/key-untrusted`
   */
  async answer({ key, secure, model, signal }: SecureTaskInit, inline: Uint8Array | undefined): Promise<void> {
    if (secure === undefined) throw new TypeError("a step says which it is");
    await this.#fetch(model, inline, signal);
    await this.#withoutValues(key, async () => this.#handIn(key, await this.#updates.answer(secure, key, model, signal)), signal);
  }

  /** Hands in what was trained before this process began; `false` where nothing was. */
  async resume({ key, secure, signal }: SecureTaskInit): Promise<boolean> {
    const round = await this.#updates.kept(key.round);
    if (round?.task !== key.task) return false;
    const { attempt, roster } = this.#maskOf(key, secure);
    await this.#withoutValues(key, async () => this.#handIn(key, await this.#updates.mask(round, attempt, roster, signal)), signal);
    return true;
  }

  /** Takes what a site has trained, and hands it in masked. */
  async take(result: TrainerResult, { key, secure, model, signal }: SecureTaskInit, modelPath: string): Promise<void> {
    const { attempt, roster } = this.#maskOf(key, secure);
    await this.#withoutValues(
      key,
      async () => {
        const known = await this.#updates.kept(key.round);
        const round = known ?? (await this.#updates.keep(result, key, { ...model, path: modelPath }, signal));
        if (round.task !== key.task) throw refusal(this.#init, `it asks for a second update in round ${key.round}`);
        await this.#handIn(key, await this.#updates.mask(round, attempt, roster, signal));
      },
      signal,
    );
  }

  /** What is wrong with an update may tell a weight or a value of it: that is for the site's own log. */
  async #withoutValues(key: TaskKey, work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await this.#parts.whenThereIsRoom(work, signal);
    } catch (reason) {
      const error = FlareError.from(reason);
      if (!error.code.startsWith("aggregate/")) throw error;
      this.#parts.logger.error("update cannot be masked", { round: key.round, error: errorField(error) });
      const { site, jobId } = this.#init;
      throw new FlareError(error.code, `The update of ${site} cannot be masked; its log says why.`, { facts: { site, job: jobId } });
    }
  }

  async #handIn(key: TaskKey, answer: SecureAnswer): Promise<void> {
    const { store, delivery, taskModels } = this.#parts;
    if (answer.bytes === undefined) await taskModels.holdAnswer(key, answer.update.hash);
    const kept = await store.addResult({ ...key, ...answer });
    if (kept !== undefined) delivery.deliver(kept);
  }

  #maskOf({ task }: TaskKey, secure: SecureTask | undefined): { readonly attempt: number; readonly roster: ObjectRef } {
    if (secure?.step === "mask" && secure.attempt === 0 && secure.roster !== undefined) return { attempt: 0, roster: secure.roster };
    throw refusal(this.#init, `the job was signed for updates that are added without being read, and ${task} asks for one that is read`);
  }

  /** The file of an object. What came in a task comes again after a crash, and is kept for the job until then. */
  async #fetch(object: ObjectRef, inline: Uint8Array | undefined, signal: AbortSignal): Promise<string> {
    const { models, retention, transfer, link } = this.#parts;
    await retention.hold(secureHolder(this.#init.jobId), [object.hash]);
    if (inline !== undefined && isObject(inline, object)) return (await models.importBytes(inline)).path;
    return (await transfer.download(() => link.connection(signal), object, undefined, signal)).path;
  }
}

/** Keeps what updates are masked of, of jobs that a process before this one ran. */
export async function holdSecureRounds(components: { readonly store: SiteStore; readonly retention: ObjectRetention }): Promise<void> {
  for (const { jobId, clear, base, roster } of await components.store.secureRounds()) {
    await components.retention.hold(secureHolder(jobId), [clear.hash, base.hash, ...(roster === undefined ? [] : [roster])]);
  }
}
