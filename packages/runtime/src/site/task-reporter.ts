import { create } from "@bufbuild/protobuf";
import { limits } from "@flare-ts/contracts/errors";
import { TaskProgressSchema } from "@flare-ts/contracts/wire";
import type { TaskKey, TaskSpan } from "../job/job-event.js";
import type { TaskPhase } from "../job-process/job-channel.js";
import { taskKeyText, taskKeyToWire } from "../transport/wire-values.js";
import type { ServerLink } from "./server-link.js";
import { TaskSpans } from "./task-spans.js";

export interface TaskReporterComponents {
  readonly link: Pick<ServerLink, "tell">;
  /** Steady milliseconds. */
  readonly steadyNow: () => number;
}

/** A phase that lasts for less is not told: in a quick round messages about it would be most of what goes to the server. */
const settledMs = 200;

/**
 * Tells the server how far each open task is here: a new phase as soon as it lasts, everything else every few seconds. The server hears
 * it again and again, so nothing is lost by a cut, and a task of which it hears nothing any more is one that nobody works on.
 */
export class TaskReporter {
  readonly #parts: TaskReporterComponents;
  readonly #tasks = new Map<string, OpenTask>();
  #timer: NodeJS.Timeout | undefined;

  constructor(components: TaskReporterComponents) {
    this.#parts = components;
  }

  start(): void {
    this.#timer = setInterval(() => this.tellAll(), limits.heartbeatMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const { settling } of this.#tasks.values()) clearTimeout(settling);
  }

  /** A task has moved, or has begun to wait. */
  note(key: TaskKey, phase: TaskPhase): void {
    const text = taskKeyText(key);
    const before = this.#tasks.get(text);
    const isNews = before?.phase.phase !== phase.phase || (phase.total > 0 && phase.done === phase.total);
    const nowMs = this.#parts.steadyNow();
    // Waiting on is no move.
    const movedAtMs = before === undefined || isNews || phase.phase !== "waiting" ? nowMs : before.movedAtMs;
    const settling = isNews ? (before?.settling ?? this.#tellSoon(text)) : before?.settling;
    const spans = before?.spans ?? new TaskSpans();
    spans.enter(phase.phase, phase.phase === "waiting" ? phase.reason : "", nowMs);
    this.#tasks.set(text, { key, phase, movedAtMs, settling, spans });
  }

  /** What has been done with a task until now; nothing where it is not known. Of what was before the site's process began nothing is known. */
  spansOf(key: TaskKey): readonly TaskSpan[] {
    return this.#tasks.get(taskKeyText(key))?.spans.until(this.#parts.steadyNow()) ?? [];
  }

  /** A task is answered, or nobody wants its answer. */
  forget(key: TaskKey): void {
    const text = taskKeyText(key);
    clearTimeout(this.#tasks.get(text)?.settling);
    this.#tasks.delete(text);
  }

  /** Says of every task how far it is. */
  tellAll(): void {
    for (const task of this.#tasks.values()) this.#tell(task);
  }

  #tellSoon(text: string): NodeJS.Timeout {
    return setTimeout(() => {
      const task = this.#tasks.get(text);
      if (task === undefined) return;
      this.#tasks.set(text, { ...task, settling: undefined });
      this.#tell(task);
    }, settledMs);
  }

  #tell({ key, phase: { phase, done, total, reason }, movedAtMs }: OpenTask): void {
    const stillMs = BigInt(Math.max(0, Math.round(this.#parts.steadyNow() - movedAtMs)));
    const counts = { done: BigInt(Math.round(done)), total: BigInt(Math.round(total)) };
    this.#parts.link.tell({
      case: "taskProgress",
      value: create(TaskProgressSchema, { key: taskKeyToWire(key), phase, ...counts, reason, stillMs }),
    });
  }
}

interface OpenTask {
  readonly key: TaskKey;
  readonly phase: TaskPhase;
  readonly movedAtMs: number;
  /** Runs while a new phase has not been told yet. */
  readonly settling: NodeJS.Timeout | undefined;
  readonly spans: TaskSpans;
}
