import type { JobEvent, JournalEntry, Metrics } from "./job-event.js";

/** How far a site is in a round. `missing`: the round closed, or the job ended, without it. */
export type SiteRoundState = "working" | "answered" | "failed" | "gone" | "missing";

/** One site in one round. */
export interface SiteInRound {
  readonly site: string;
  state: SiteRoundState;
  /** When its task was there for it. */
  readonly openedMs: number;
  /** When its answer, or its failure, was there. */
  answeredMs: number | null;
  /** Samples or steps that its update stands for. */
  weight: number | null;
  bytes: number | null;
  metrics: Metrics;
  /** Why it failed or is not there. */
  cause: string;
}

/** One round of a job. */
export interface RoundView {
  readonly round: number;
  readonly totalRounds: number;
  readonly openedMs: number;
  closedMs: number | null;
  deadlineMs: number | null;
  readonly sites: Map<string, SiteInRound>;
  metrics: Metrics;
  bytes: number | null;
  aggregationSeconds: number | null;
  engine: string;
  strategy: string;
}

/** Something that an operator may want to know of, in words. */
export interface Incident {
  readonly atMs: number;
  readonly kind: "info" | "warn" | "bad" | "good";
  readonly text: string;
}

/** What the journal of a job says. */
export interface JobView {
  readonly rounds: readonly RoundView[];
  readonly best: { readonly round: number; readonly metric: string; readonly value: number } | null;
  readonly incidents: readonly Incident[];
}

/** Reads a journal from its first entry to its last; entries must be in order of `seq`. */
export function foldJournal(entries: readonly JournalEntry[]): JobView {
  return new JournalFold().take(entries);
}

/**
 * Reads a journal that grows: what it has read once it does not read again, however long the journal is. Rounds of an earlier view are
 * those of the next one, changed.
 */
export class JournalFold {
  #rounds = new Map<number, RoundView>();
  #incidents: Incident[] = [];
  #best: JobView["best"] = null;
  #read: readonly JournalEntry[] = [];
  #view: JobView = { rounds: [], best: null, incidents: [] };

  /** What the journal says with these entries, which are all from its first one on. */
  take(entries: readonly JournalEntry[]): JobView {
    if (entries === this.#read) return this.#view;
    if (!continues(entries, this.#read)) {
      this.#rounds = new Map();
      this.#incidents = [];
      this.#best = null;
      this.#read = [];
    }
    for (let at = this.#read.length; at < entries.length; at++) {
      const entry = entries[at];
      if (entry !== undefined) this.#add(entry);
    }
    this.#read = entries;
    this.#view = { rounds: [...this.#rounds.values()], best: this.#best, incidents: [...this.#incidents] };
    return this.#view;
  }

  #add({ atMs, event }: JournalEntry): void {
    applyToRounds(this.#rounds, event, atMs);
    if (event.type === "best-model") this.#best = { round: event.round, metric: event.metric, value: event.value };
    const incident = incidentOf(event);
    if (incident !== undefined) this.#incidents.push({ atMs, ...incident });
  }
}

/** Whether a journal is another one with more at its end. */
function continues(entries: readonly JournalEntry[], before: readonly JournalEntry[]): boolean {
  return entries.length >= before.length && entries[0] === (before[0] ?? entries[0]) && entries[before.length - 1] === before.at(-1);
}

function applyToRounds(rounds: Map<number, RoundView>, event: JobEvent, atMs: number): void {
  if (event.type === "round-opened") {
    const before = rounds.get(event.round);
    if (before === undefined) rounds.set(event.round, openRound(event, atMs));
    return;
  }
  if (event.type === "site-disconnected" || event.type === "site-connected" || event.type === "site-left") {
    const last = [...rounds.values()].at(-1);
    const site = last?.closedMs === null ? last.sites.get(event.site) : undefined;
    if (site === undefined || (site.state !== "working" && site.state !== "gone")) return;
    site.state = event.type === "site-connected" ? "working" : "gone";
    site.cause = event.type === "site-connected" ? "" : event.type === "site-left" ? event.error.message : event.reason;
    return;
  }
  if (event.type === "job-ended") {
    for (const { sites } of rounds.values()) stopWaiting(sites);
    return;
  }
  if (!("round" in event)) return;
  const round = rounds.get(event.round);
  if (round === undefined) return;
  if (event.type === "update-accepted") {
    const site = round.sites.get(event.site) ?? newSite(event.site, round.openedMs);
    site.state = "answered";
    site.answeredMs = atMs;
    site.weight = event.weight;
    site.bytes = event.update.size;
    site.metrics = event.metrics;
    site.cause = "";
    round.sites.set(event.site, site);
  } else if (event.type === "task-failed") {
    const site = round.sites.get(event.site) ?? newSite(event.site, round.openedMs);
    site.state = "failed";
    site.answeredMs = atMs;
    site.cause = `${event.error.code}: ${event.error.message}`;
    round.sites.set(event.site, site);
  } else if (event.type === "deadline-passed") {
    round.deadlineMs = atMs;
  } else if (event.type === "round-closed") {
    round.closedMs = atMs;
    round.metrics = event.metrics;
    round.bytes = event.bytes;
    round.aggregationSeconds = event.aggregationSeconds;
    round.engine = event.engine ?? "";
    round.strategy = event.strategy ?? "";
    stopWaiting(round.sites);
  }
}

/** Nobody waits any longer for the sites of a round that have not answered. */
function stopWaiting(sites: RoundView["sites"]): void {
  for (const site of sites.values()) if (site.state === "working") site.state = "missing";
}

function openRound(event: Extract<JobEvent, { type: "round-opened" }>, openedMs: number): RoundView {
  return {
    round: event.round,
    totalRounds: event.totalRounds,
    openedMs,
    closedMs: null,
    deadlineMs: null,
    sites: new Map(event.sites.map((site) => [site, newSite(site, openedMs)])),
    metrics: {},
    bytes: null,
    aggregationSeconds: null,
    engine: "",
    strategy: "",
  };
}

function newSite(site: string, openedMs: number): SiteInRound {
  return { site, state: "working", openedMs, answeredMs: null, weight: null, bytes: null, metrics: {}, cause: "" };
}

function lateText(late: readonly { readonly site: string; readonly why: string }[]): string {
  return late.length === 0 ? "" : `; late: ${late.map(({ site, why }) => `${site} (${why})`).join(", ")}`;
}

function incidentOf(event: JobEvent): Omit<Incident, "atMs"> | undefined {
  switch (event.type) {
    case "job-submitted":
      return { kind: "info", text: "Submitted" };
    case "job-started":
      return { kind: "info", text: `Started on ${event.sites.length} ${event.sites.length === 1 ? "site" : "sites"}` };
    case "task-failed":
      return { kind: "bad", text: `${event.site} failed in round ${event.round + 1}: ${event.error.message}` };
    case "site-connected":
      return { kind: "good", text: `${event.site} is connected` };
    case "site-disconnected":
      return { kind: "warn", text: `${event.site} is disconnected: ${event.reason}` };
    case "site-left":
      return { kind: "bad", text: `${event.site} left the job: ${event.error.message}` };
    case "deadline-passed":
      return { kind: "warn", text: `Round ${event.round + 1} passed its deadline${lateText(event.late ?? [])}` };
    case "round-closed":
      return event.missing.length === 0
        ? undefined
        : { kind: "warn", text: `Round ${event.round + 1} closed without ${event.missing.join(", ")}` };
    case "best-model":
      return { kind: "good", text: `Best model so far in round ${event.round + 1}: ${event.metric} ${event.value.toPrecision(4)}` };
    case "process-restarted":
      return { kind: "warn", text: `The process at ${event.where} was restarted: ${event.reason}` };
    case "workflow-ended":
      return { kind: "info", text: `The workflow ended: ${event.reason}` };
    case "job-ended":
      return { kind: event.status === "FINISHED:COMPLETED" ? "good" : "bad", text: `The job ended: ${event.reason || event.status}` };
    case "round-opened":
    case "update-accepted":
      return undefined;
    default:
      // A kind of a newer server, or one that is shown elsewhere, such as receipts.
      event satisfies never;
      return undefined;
  }
}
