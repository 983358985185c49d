import type { JobEvent, JournalEntry, TaskSpan } from "../job/job-event.js";
import type { JobTrace, LongestWait, RoundTrace, StepTrace, TaskTrace, TraceSpan } from "./job-trace.js";

type EventOf<Type extends JobEvent["type"]> = Extract<JobEvent, { type: Type }>;

/** Where the time of a job went, by its journal: entries of one job from the first on, in order of `seq`. */
export function traceJournal(jobId: string, entries: readonly JournalEntry[]): JobTrace {
  const trace = new JournalTrace();
  for (const entry of entries) trace.add(entry);
  return trace.of(jobId, entries);
}

interface GrowingTask extends TaskTrace {
  toMs: number | undefined;
  outcome: TaskTrace["outcome"];
}

interface GrowingRound extends Omit<RoundTrace, "tasks" | "steps" | "longest"> {
  toMs: number | undefined;
  readonly tasks: Map<string, GrowingTask>;
  readonly steps: (StepTrace & { toMs: number | undefined; readonly task: string; readonly answers: { site: string; atMs: number }[] })[];
  aggregation: TraceSpan | undefined;
  /** Whether sites go on after it has closed, as they do not wait for each other. */
  readonly isBuffered: boolean;
}

class JournalTrace {
  readonly #rounds = new Map<number, GrowingRound>();

  add({ atMs, event }: JournalEntry): void {
    if (event.type === "round-opened") this.#open(event, atMs);
    else if (event.type === "job-ended" || event.type === "workflow-ended")
      for (const round of this.#rounds.values()) endTasks(round, atMs);
    else if ("round" in event) this.#addTo(event, atMs);
  }

  of(jobId: string, entries: readonly JournalEntry[]): JobTrace {
    const submitted = entries.find(({ event }) => event.type === "job-submitted");
    const ended = entries.findLast(({ event }) => event.type === "job-ended");
    return {
      jobId,
      name: submitted?.event.type === "job-submitted" ? submitted.event.name : "",
      fromMs: entries[0]?.atMs ?? 0,
      toMs: ended?.atMs,
      status: ended?.event.type === "job-ended" ? ended.event.status : undefined,
      rounds: [...this.#rounds.values()].map(({ round, task, workflow, fromMs, toMs, aggregation, ...rest }) => {
        const tasks = [...rest.tasks.values()];
        const steps = rest.steps.map((one) => ({
          step: one.step,
          attempt: one.attempt,
          fromMs: one.fromMs,
          toMs: one.toMs,
          answers: one.answers,
        }));
        return { round, task, workflow, fromMs, toMs, tasks, steps, aggregation, longest: longestOf(tasks) };
      }),
    };
  }

  #open({ round, task, workflow, sites, buffered }: EventOf<"round-opened">, atMs: number): void {
    if (this.#rounds.has(round)) return;
    if (buffered !== undefined) for (const older of this.#rounds.values()) if (older.round < buffered.oldestBase) endTasks(older, atMs);
    const tasks = new Map(sites.map((site) => [site, openTask(site, atMs)]));
    const isBuffered = buffered !== undefined;
    this.#rounds.set(round, { round, task, workflow, fromMs: atMs, toMs: undefined, tasks, steps: [], aggregation: undefined, isBuffered });
  }

  #addTo(event: Extract<JobEvent, { readonly round: number }>, atMs: number): void {
    const round = this.#rounds.get(event.round);
    if (round === undefined) return;
    switch (event.type) {
      case "task-assigned":
        for (const site of event.sites) round.tasks.set(site, openTask(site, atMs));
        return;
      case "update-accepted":
        return answerTask(round, event, atMs);
      case "task-failed":
        return failTask(round, event, atMs);
      case "step-opened": {
        const { task, step, attempt } = event;
        round.steps.push({ task, step, attempt, fromMs: atMs, toMs: undefined, answers: [] });
        return;
      }
      case "step-answered": {
        const step = round.steps.find(({ task }) => task === event.task);
        step?.answers.push({ site: event.site, atMs });
        if (step !== undefined) step.toMs = atMs;
        return;
      }
      case "round-closed": {
        round.toMs = atMs;
        const ms = Math.min(atMs - round.fromMs, event.aggregationSeconds * 1000);
        if (ms > 0) round.aggregation = { name: "aggregation", fromMs: atMs - ms, toMs: atMs };
        if (!round.isBuffered) endTasks(round, atMs);
        return;
      }
      case "round-opened":
      case "round-receipt":
      case "deadline-passed":
      case "best-model":
      default:
    }
  }
}

function openTask(site: string, fromMs: number): GrowingTask {
  return { site, fromMs, toMs: undefined, outcome: "open", spans: [] };
}

function answerTask(round: GrowingRound, { site, weight, update, spans = [] }: EventOf<"update-accepted">, atMs: number): void {
  const task = round.tasks.get(site);
  if (task === undefined || task.outcome !== "open") return;
  const answered = { ...task, toMs: atMs, outcome: "answered" as const, weight, bytes: update.size };
  round.tasks.set(site, { ...answered, spans: placed(spans, { fromMs: task.fromMs, toMs: atMs }) });
}

/** Also after its answer, which then turned out to be unusable; a step that failed is no task of the round. */
function failTask(round: GrowingRound, { site, task: name, error }: EventOf<"task-failed">, atMs: number): void {
  const task = round.tasks.get(site);
  if (task === undefined || name !== round.task || task.outcome === "failed") return;
  round.tasks.set(site, { ...task, toMs: task.toMs ?? atMs, outcome: "failed", error: `${error.code}: ${error.message}` });
}

function endTasks({ tasks }: GrowingRound, atMs: number): void {
  for (const task of tasks.values()) if (task.outcome === "open") Object.assign(task, { outcome: "missing", toMs: atMs });
}

/**
 * Spans by the server's clock: a site tells how long they were and not when, as its clock may be another. The last ends when the answer is there;
 * what is left before the first is `delivery`. Spans that do not fit before it lose their beginning.
 */
function placed(spans: readonly TaskSpan[], { fromMs, toMs }: Pick<TraceSpan, "fromMs" | "toMs">): readonly TraceSpan[] {
  if (spans.length === 0) return [];
  const found: TraceSpan[] = [];
  let endMs = toMs;
  for (const { phase, reason, ms } of spans.toReversed()) {
    const beginMs = Math.max(fromMs, endMs - ms);
    if (beginMs < endMs) found.unshift({ name: phase, fromMs: beginMs, toMs: endMs, ...(reason === undefined ? {} : { reason }) });
    endMs = beginMs;
  }
  return endMs > fromMs ? [{ name: "delivery", fromMs, toMs: endMs }, ...found] : found;
}

/** The longest span of whoever answered last. */
function longestOf(tasks: readonly TaskTrace[]): LongestWait | undefined {
  const last = tasks
    .filter((task) => task.outcome === "answered" && task.toMs !== undefined)
    .reduce<TaskTrace | undefined>((latest, task) => ((latest?.toMs ?? -1) >= (task.toMs ?? 0) ? latest : task), undefined);
  if (last?.toMs === undefined) return undefined;
  const sums = new Map<string, number>();
  for (const { name, fromMs, toMs } of last.spans) sums.set(name, (sums.get(name) ?? 0) + toMs - fromMs);
  const [longest] = [...sums].sort(([, a], [, b]) => b - a);
  return longest === undefined
    ? { site: last.site, phase: undefined, ms: last.toMs - last.fromMs }
    : { site: last.site, phase: longest[0], ms: longest[1] };
}
