import type { PrivacyScope, UpdateForm } from "@flare-ts/contracts";
import type { TaskKey } from "../job/job-event.js";
import type { TrainerResult } from "../job-process/job-channel.js";
import type { SecureTask } from "../secure-aggregation/task-meta.js";
import { removeAtOnce } from "../store/file-model-store-disk.js";
import type { ModelStore, ObjectRef } from "../store/model-store.js";
import type { SiteResult, SiteStore } from "../store/site-store.js";
import { ownFile } from "./own-file.js";
import type { PrivacyGate } from "./privacy-gate.js";
import { readSmallFile } from "./read-small-file.js";
import type { ResultDelivery } from "./result-delivery.js";
import type { SecureTasks } from "./secure-tasks.js";
import type { TaskModels } from "./task-models.js";

export interface ResultIntakeComponents {
  readonly models: Pick<ModelStore, "importFile">;
  readonly store: Pick<SiteStore, "addResult">;
  readonly delivery: Pick<ResultDelivery, "deliver">;
  readonly taskModels: Pick<TaskModels, "holdAnswer" | "pathForAnswer">;
  readonly privacy: Pick<PrivacyGate, "release" | "checkUnfiltered">;
  /** Carries out what writes, again for as long as the disk is full. */
  readonly whenThereIsRoom: <Result>(action: () => Promise<Result>) => Promise<Result>;
}

export interface ResultIntakeInit {
  /** Folder of the job process, out of which its results come. */
  readonly folder: string;
  /** What the site's privacy policy does to them; `undefined`: nothing. */
  readonly scope: PrivacyScope | undefined;
  /** Takes what would leave the site, and hands it in masked; `undefined`: it leaves as it is. */
  readonly masking?: Pick<SecureTasks, "take"> | undefined;
}

/** A task whose result is taken. */
export interface AnsweredTask {
  readonly key: TaskKey;
  readonly model: ObjectRef;
  /** The same as a file. */
  readonly modelPath: string;
  /** The form in which its update leaves the site, where the policy has it shaped after the filters. */
  readonly form: UpdateForm | undefined;
  /** How it is to be masked. */
  readonly secure?: SecureTask | undefined;
  readonly signal: AbortSignal;
}

/** Takes the results of one job's process: what the site's policy lets out of them, durably, on its way to the server. */
export class ResultIntake {
  readonly #parts: ResultIntakeComponents;
  readonly #init: ResultIntakeInit;

  constructor(components: ResultIntakeComponents, init: ResultIntakeInit) {
    this.#parts = components;
    this.#init = init;
  }

  /**
   * Takes a result; the file is moved away, or removed.
   *
   * @throws FlareError `runtime/bad-message` for a file that is none of the job's, what `PrivacyGate.release` throws
   */
  async take(result: TrainerResult, task: AnsweredTask): Promise<void> {
    const { models, store, delivery, taskModels, whenThereIsRoom } = this.#parts;
    const { key, model: base } = task;
    const own = ownFile(result.path, this.#init.folder);
    const released = await this.#release({ ...result, path: own }, task);
    const { masking } = this.#init;
    if (masking !== undefined) {
      const { secure, modelPath, signal } = task;
      await masking.take(released, { key, secure, model: base, signal }, modelPath);
      if (released.path !== own) removeAtOnce(own);
      return;
    }
    const { path, paramsType, weight, metrics, meta } = released;
    const small = readSmallFile(path);
    const send = async (taken: Pick<SiteResult, "update" | "bytes">): Promise<void> => {
      const kept = await whenThereIsRoom(() => store.addResult({ ...key, paramsType, weight, metrics, meta, ...taken, base }));
      if (kept !== undefined) delivery.deliver(kept);
    };
    if (small !== undefined) {
      await send(small);
      removeAtOnce(path);
    } else {
      const { hash, size } = await whenThereIsRoom(() => models.importFile(path, { move: true }));
      // Held before anybody can drop the same bytes for another reason.
      await taskModels.holdAnswer(key, hash);
      await send({ update: { hash, size } });
    }
    if (path !== own) removeAtOnce(own);
  }

  async #release(result: TrainerResult, { key, modelPath, form, signal }: AnsweredTask): Promise<TrainerResult> {
    const { scope } = this.#init;
    const { privacy, taskModels, whenThereIsRoom } = this.#parts;
    if (scope === undefined) {
      privacy.checkUnfiltered(result);
      return result;
    }
    const outPath = taskModels.pathForAnswer();
    return await whenThereIsRoom(() => privacy.release(result, { key, scope, base: modelPath, outPath, form, signal }));
  }
}
