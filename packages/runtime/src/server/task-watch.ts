import { FlareError } from "@flare-ts/contracts/errors";
import type { JobEvent, LateSite } from "../job/job-event.js";
import type { StallClock } from "../progress/stall-clock.js";
import type { TaskProgressReport } from "./task-progress-report.js";

/** Whether a site is attached, and since when and why it is not. */
export type Attachment = { readonly isAttached: true } | { readonly isAttached: false; readonly sinceMs: number; readonly reason: string };

export interface TaskWatchComponents {
  readonly clock: StallClock;
  readonly attachmentOf: (site: string) => Attachment;
}

export interface TaskWatchInit {
  readonly stallMs: number;
  /** How often `look` is called. */
  readonly lookMs: number;
  /** A site's task is to be given up. */
  readonly onStalled: (site: string, task: { readonly round: number; readonly task: string }, error: FlareError) => void;
}

/**
 * Watches the tasks of one job that its sites have not answered. What counts as progress: bytes while a site says that it
 * fetches or hands in a model; in every other phase, that the site is attached, since it watches its trainer itself; and that
 * a site has come back.
 *
 * What is open follows from the journal. The times do not: after a restart of the server they count anew.
 */
export class TaskWatch {
  readonly #parts: TaskWatchComponents;
  readonly #init: TaskWatchInit;
  readonly #open = new Map<string, OpenTask>();
  /** Whether tasks go on when their round closes. */
  #outlivesRounds = false;
  #lookedAtMs: number;

  constructor(components: TaskWatchComponents, init: TaskWatchInit) {
    this.#parts = components;
    this.#init = init;
    this.#lookedAtMs = components.clock.now();
  }

  /** Takes an event of the journal in. */
  note(event: JobEvent): void {
    switch (event.type) {
      case "round-opened": {
        const { round, buffered } = event;
        this.#outlivesRounds = buffered !== undefined;
        for (const [site, open] of this.#open) if (open.round < (buffered?.oldestBase ?? round)) this.#open.delete(site);
        this.#begin(event);
        return;
      }
      case "step-opened":
      case "task-assigned":
        this.#begin(event);
        return;
      case "update-accepted":
      case "step-answered":
      case "task-failed":
        if (this.#isOpen(event.site, event)) this.#open.delete(event.site);
        return;
      case "site-left":
        this.#open.delete(event.site);
        return;
      case "site-connected":
        this.#moved(event.site);
        return;
      case "round-closed":
        if (!this.#outlivesRounds) this.#open.clear();
        return;
      case "workflow-ended":
      case "job-ended":
        this.#open.clear();
        return;
      case "job-submitted":
      case "job-started":
      case "site-disconnected":
      case "deadline-passed":
      case "best-model":
      case "process-restarted":
      case "round-receipt":
      default:
        return;
    }
  }

  /** A site has said how far it is. */
  hear(site: string, round: number, report: TaskProgressReport): void {
    const open = this.#open.get(site);
    if (open?.round !== round) return;
    const before = open.report;
    open.report = report;
    if (before?.phase !== report.phase || before.done !== report.done) this.#moved(site);
  }

  /** Gives up what has stood still for too long; to be called every `lookMs`. */
  look(): void {
    const { clock, attachmentOf } = this.#parts;
    const { stallMs, lookMs, onStalled } = this.#init;
    const nowMs = clock.now();
    // While this process did not run, nothing could move.
    const sleptMs = nowMs - this.#lookedAtMs - lookMs;
    this.#lookedAtMs = nowMs;
    for (const [site, open] of this.#open) {
      if (sleptMs > 1_000) open.movedAtMs = Math.min(nowMs, open.movedAtMs + sleptMs);
      if (attachmentOf(site).isAttached && !isTransfer(open.report)) open.movedAtMs = nowMs;
      if (nowMs - open.movedAtMs < stallMs) continue;
      // Its event takes the task away; where that cannot be written, it is tried again after as long.
      const error = this.#stalled(site, open);
      open.movedAtMs = nowMs;
      onStalled(site, open, error);
    }
  }

  /** The sites of a round that have not answered, and why, as far as is known here. */
  lateIn(round: number): LateSite[] {
    return [...this.#open]
      .filter(([, open]) => open.round === round)
      .map(([site, open]) => ({ site, why: this.#why(site, open) }))
      .sort((a, b) => (a.site < b.site ? -1 : 1));
  }

  #begin({ round, task, sites }: { readonly round: number; readonly task: string; readonly sites: readonly string[] }): void {
    for (const site of sites) this.#open.set(site, { round, task, movedAtMs: this.#parts.clock.now(), report: undefined });
  }

  #isOpen(site: string, { round, task }: { readonly round: number; readonly task: string }): boolean {
    const open = this.#open.get(site);
    return open?.round === round && open.task === task;
  }

  #moved(site: string): void {
    const open = this.#open.get(site);
    if (open !== undefined) open.movedAtMs = this.#parts.clock.now();
  }

  #stalled(site: string, open: OpenTask): FlareError {
    const { clock } = this.#parts;
    const stillMs = clock.now() - open.movedAtMs;
    const since = new Date(clock.date() - stillMs).toISOString();
    const seconds = Math.round(stillMs / 1000);
    const why = this.#why(site, open);
    return new FlareError("runtime/task-stalled", `The task of ${site} has not moved since ${since}, for ${seconds} s: ${why}.`, {
      facts: { site, round: open.round, since, seconds, why },
    });
  }

  #why(site: string, { report }: OpenTask): string {
    const attachment = this.#parts.attachmentOf(site);
    const what = report === undefined ? "nothing was heard of its task" : whatItDid(report);
    if (attachment.isAttached) return what;
    const { sinceMs, reason } = attachment;
    const since = sinceMs === 0 ? "has not connected since the server started" : `disconnected since ${new Date(sinceMs).toISOString()}`;
    return `${since}${reason === "" ? "" : ` (${reason})`}; ${report === undefined ? what : `before that ${what}`}`;
  }
}

interface OpenTask {
  readonly round: number;
  readonly task: string;
  movedAtMs: number;
  report: TaskProgressReport | undefined;
}

function isTransfer(report: TaskProgressReport | undefined): boolean {
  return report?.phase === "uploading" || report?.phase === "downloading";
}

function whatItDid({ phase, done, total, reason, stillMs }: TaskProgressReport): string {
  const counted = total > 0 ? ` ${done} of ${total}${phase === "training" ? " steps" : " bytes"}` : "";
  const still = stillMs >= 1_000 ? `, last moved ${Math.round(stillMs / 1000)} s ago` : "";
  const said = reason === "" || phase === "uploading" || phase === "downloading" ? "" : ` (${reason})`;
  return `${phase}${counted}${said}${still}`;
}
