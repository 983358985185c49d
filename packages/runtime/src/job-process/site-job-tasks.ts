import { FlareError } from "@flare-ts/contracts/errors";
import type { Executor } from "../executor/executor.js";
import { type ExecutorEntry, executorFor } from "../executor/executor-table.js";
import type { TaskKey } from "../job/job-event.js";
import { steadily } from "../progress/steadily.js";
import type { SiteTask, TaskPhase, TrainerResult } from "./job-channel.js";
import type { SiteJobPeer } from "./rpc-sides.js";
import { forgetShaped, type ShapedUpdate } from "./shape-update.js";

export interface SiteJobTasksComponents {
  readonly parent: Pick<SiteJobPeer, "call" | "tell">;
  /** The job's executors; when this fails, every task fails with its error. */
  readonly executors: Promise<readonly ExecutorEntry[]>;
  /** Makes a result what leaves the site. */
  readonly shape: (result: TrainerResult, task: SiteTask, signal: AbortSignal) => Promise<ShapedUpdate>;
}

/** One job at one site: takes tasks from the parent, one after the other, and gives their results back. */
export class SiteJobTasks {
  readonly #components: SiteJobTasksComponents;
  readonly #queue: SiteTask[] = [];
  readonly #stopping = new AbortController();
  #active: { readonly key: TaskKey; readonly abort: AbortController } | undefined;
  #working: Promise<void> | undefined;

  constructor(components: SiteJobTasksComponents) {
    this.#components = components;
  }

  /** Takes a task; one that is queued or being worked on already is not taken twice. */
  take(task: SiteTask): void {
    const isKnown = [this.#active?.key, ...this.#queue.map(({ key }) => key)].some((key) => key !== undefined && isSame(key, task.key));
    if (isKnown || this.#stopping.signal.aborted) return;
    this.#queue.push(task);
    this.#working ??= this.#work();
  }

  /** Drops a task whose result is no longer wanted. */
  cancel(key: TaskKey): void {
    const at = this.#queue.findIndex((task) => isSame(task.key, key));
    if (at >= 0) this.#queue.splice(at, 1);
    if (this.#active !== undefined && isSame(this.#active.key, key)) this.#active.abort.abort(cancelled("The task was cancelled."));
  }

  /** Ends the executors in good order. */
  async stop(reason: string): Promise<void> {
    this.#stopping.abort(cancelled(reason));
    this.#queue.length = 0;
    this.#active?.abort.abort(cancelled(reason));
    await Promise.all((await this.#executors()).map((executor) => executor.stop(reason)));
    await this.#working;
  }

  async #work(): Promise<void> {
    for (let task = this.#queue.shift(); task !== undefined; task = this.#queue.shift()) await this.#answer(task);
    this.#working = undefined;
  }

  async #answer(task: SiteTask): Promise<void> {
    const { parent, executors, shape } = this.#components;
    const { key } = task;
    const abort = new AbortController();
    this.#active = { key, abort };
    const report = steadily<TaskPhase>({
      everyMs: reportMs,
      isNews: (phase, before) => phase.phase !== before.phase,
      tell: (phase) => parent.tell("taskProgress", { key, ...phase }),
    });
    try {
      const executor = executorFor(await executors, key.task);
      await executor.execute(task, {
        signal: abort.signal,
        report,
        deliver: async (trained) => {
          const { result } = await shape(trained, task, abort.signal);
          const { path, paramsType, weight, metrics, meta } = result;
          await parent.call("result", { key, path, paramsType, weight, metrics, meta });
          await forgetShaped(result, trained);
        },
      });
    } catch (reason) {
      if (!abort.signal.aborted) await this.#tellFailure(key, FlareError.from(reason));
    } finally {
      this.#active = undefined;
    }
  }

  async #tellFailure(key: TaskKey, error: FlareError): Promise<void> {
    try {
      await this.#components.parent.call("taskFailed", { key, error: error.toJSON() });
    } catch {
      // The parent is gone, and this process ends with it.
    }
  }

  async #executors(): Promise<readonly Executor[]> {
    try {
      return (await this.#components.executors).map(({ executor }) => executor);
    } catch {
      return [];
    }
  }
}

/** A script may say in each step that it moves. */
const reportMs = 1_000;

function isSame(a: TaskKey, b: TaskKey): boolean {
  return a.jobId === b.jobId && a.round === b.round && a.task === b.task;
}

function cancelled(reason: string): FlareError {
  return new FlareError("internal/aborted", reason);
}
