import { existsSync, linkSync, mkdirSync, writeFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ContentHash } from "@flare-ts/contracts";
import type { DiskBudget } from "../budget/disk-budget.js";
import type { TaskKey } from "../job/job-event.js";
import { removeAtOnce } from "../store/file-model-store-disk.js";
import { isObject } from "../store/is-object.js";
import type { ObjectRef, StoredObject } from "../store/model-store.js";
import type { ObjectRetention } from "../store/object-retention.js";
import type { SiteStore } from "../store/site-store.js";
import type { TransferClient } from "../transfer/transfer-client.js";
import { taskKeyText } from "../transport/wire-values.js";
import type { ServerLink } from "./server-link.js";
import type { TaskReporter } from "./task-reporter.js";

export interface TaskModelsComponents {
  readonly link: ServerLink;
  readonly transfer: TransferClient;
  readonly store: SiteStore;
  readonly retention: ObjectRetention;
  readonly reporter: TaskReporter;
  /** Room on the disk is kept for the answer to a task. */
  readonly disk?: DiskBudget | undefined;
}

export interface TaskModelsInit {
  readonly jobId: string;
  /** Folder for the models that this job's processes get; they can read it, not write. */
  readonly folder: string;
}

/** Models of one job's tasks at a site: fetched, lent to the job's processes, and kept as long as something needs them. */
export class TaskModels {
  readonly #parts: TaskModelsComponents;
  readonly #init: TaskModelsInit;
  /** Model that the job worked on last: the next one need not be fetched whole. */
  #last: ObjectRef | undefined;
  #answers = 0;

  constructor(components: TaskModelsComponents, init: TaskModelsInit) {
    this.#parts = components;
    this.#init = init;
  }

  /** Node's permission model grants what lies in a folder only when that exists as the process starts. */
  async makeFolder(): Promise<void> {
    await mkdir(this.#init.folder, { recursive: true, mode: 0o700 });
  }

  /**
   * The model of a task: what came inside the task, or what is fetched from the server. Room for the answer is kept on the disk.
   *
   * @throws FlareError what the transfer throws
   */
  async fetch(
    key: TaskKey,
    model: ObjectRef,
    options: { readonly inline: Uint8Array | undefined; readonly signal: AbortSignal; readonly onWait: (reason: string) => void },
  ): Promise<StoredObject | Uint8Array> {
    const { inline, signal, onWait } = options;
    this.#parts.disk?.reserve(holderOf(key), model.size);
    const held = inline !== undefined && isObject(inline, model) ? inline : await this.#download(key, model, signal, onWait);
    if (signal.aborted) return held;
    this.#last = model;
    // A model that came inside its task is not in the store, and the next one comes in the same way.
    await this.#parts.retention.keepOnly(this.#lastHolder, held instanceof Uint8Array ? [] : [model.hash]);
    return held;
  }

  /**
   * Puts a model where the trainers of this job can read it, and those of other jobs cannot; returns its path. At once: a turn of
   * Node's thread pool takes ten times as long as one of these calls.
   */
  lend({ hash }: ObjectRef, held: StoredObject | Uint8Array): string {
    const { folder } = this.#init;
    const lent = join(folder, hash);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (existsSync(lent)) removeAtOnce(lent);
    // What came inside a task comes again after a crash: it need not be durable.
    if (held instanceof Uint8Array) writeFileSync(lent, held, { flag: "wx", mode: 0o444 });
    else linkSync(held.path, lent);
    return lent;
  }

  /** Nobody works on a lent model any more. */
  takeBack(path: string): void {
    removeAtOnce(path);
  }

  /** A file for an answer, where the job's processes cannot change it; removed with the job at the latest. */
  pathForAnswer(): string {
    this.#answers += 1;
    return join(this.#init.folder, `answer-${this.#answers}.safetensors`);
  }

  /** Keeps the answer to a task, until the task is released. */
  async holdAnswer(key: TaskKey, hash: ContentHash): Promise<void> {
    await this.#parts.retention.hold(holderOf(key), [hash]);
  }

  /** A task is answered, or nobody wants its answer: its model need not be kept. */
  async release(key: TaskKey): Promise<void> {
    this.#parts.disk?.reserve(holderOf(key), 0);
    await this.#parts.retention.release(holderOf(key));
  }

  /** The job's processes are gone; what is durable stays for the next start of the site. */
  async end(): Promise<void> {
    await this.#parts.retention.release(this.#lastHolder);
    await rm(this.#init.folder, { recursive: true, force: true });
  }

  async #download(key: TaskKey, model: ObjectRef, signal: AbortSignal, onWait: (reason: string) => void): Promise<StoredObject> {
    const { transfer, link, retention, reporter } = this.#parts;
    await retention.hold(holderOf(key), [model.hash]);
    let first: number | undefined;
    const report = (done: number, total: number): void => {
      first ??= done;
      // Until the first bytes come, the server may have no room to read them.
      const isWaiting = done === first && done < total;
      const phase = isWaiting ? "waiting" : "downloading";
      reporter.note(key, { phase, done, total, reason: isWaiting ? "waits for the model" : "the model" });
    };
    report(0, model.size);
    const base = await this.#lastModel();
    return await transfer.download(() => link.connection(signal), model, report, signal, { base, onWait });
  }

  async #lastModel(): Promise<ObjectRef | undefined> {
    const { store, retention } = this.#parts;
    this.#last ??= await store.lastBase(this.#init.jobId);
    if (this.#last !== undefined) await retention.hold(this.#lastHolder, [this.#last.hash]);
    return this.#last;
  }

  get #lastHolder(): string {
    return `last-model:${this.#init.jobId}`;
  }
}

function holderOf(key: TaskKey): string {
  return `task:${taskKeyText(key)}`;
}
