import type { SiteTask, TaskPhase, TrainerResult } from "../job-process/job-channel.js";

/** What an executor gets beside a task. */
export interface TaskContext {
  /** Aborted when the result is no longer wanted. */
  readonly signal: AbortSignal;
  /** Says how far the task is. */
  report(phase: TaskPhase): void;
  /** Hands the result over; resolves when the site holds it durably. The file is moved away. */
  deliver(result: TrainerResult): Promise<void>;
}

/** Answers the tasks of one job at one site, one after the other. */
export interface Executor {
  /**
   * Works on a task and delivers its result. A task that was worked on before, but whose result was not yet delivered, is
   * answered from what is stored.
   *
   * @throws the reason of the signal when it is aborted; FlareError when the task has failed for good
   */
  execute(task: SiteTask, context: TaskContext): Promise<void>;
  /** Ends what the executor has started, in good order first; resolves when all of it is gone. */
  stop(reason: string): Promise<void>;
  /** Ends at once what the executor has started; for the last moments of a process. */
  kill(): void;
}
