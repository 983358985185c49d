import type { JobEvent, JournalEntry } from "./job-event.js";
import { type Incident, incidentOf } from "./job-incidents.js";
import type { RoundView, SiteInRound } from "./round-view.js";
import { noStep, sumAfter } from "./secure-sum.js";
import type { WorkflowView } from "./workflow-view.js";

/** What the journal of a job says. */
export interface JobView {
  readonly rounds: readonly RoundView[];
  /** In the order in which they ran; those that no round was opened of are not among them. */
  readonly workflows: readonly WorkflowView[];
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
  #workflows: GrowingWorkflow[] = [];
  #incidents: Incident[] = [];
  #best: JobView["best"] = null;
  #read: readonly JournalEntry[] = [];
  #view: JobView = { rounds: [], workflows: [], best: null, incidents: [] };

  /** What the journal says with these entries, which are all from its first one on. */
  take(entries: readonly JournalEntry[]): JobView {
    if (entries === this.#read) return this.#view;
    if (!continues(entries, this.#read)) {
      this.#rounds = new Map();
      this.#workflows = [];
      this.#incidents = [];
      this.#best = null;
      this.#read = [];
    }
    for (let at = this.#read.length; at < entries.length; at++) {
      const entry = entries[at];
      if (entry !== undefined) this.#add(entry);
    }
    this.#read = entries;
    this.#view = {
      rounds: [...this.#rounds.values()],
      workflows: this.#workflows.map((workflow) => ({ ...workflow, rounds: [...workflow.rounds] })),
      best: this.#best,
      incidents: [...this.#incidents],
    };
    return this.#view;
  }

  #add({ atMs, event }: JournalEntry): void {
    if (event.type === "round-opened") this.#open(event, atMs);
    else applyToRounds(this.#rounds, event, atMs);
    const workflow = this.#workflows.at(-1);
    if (event.type === "workflow-ended" && workflow !== undefined) workflow.endReason = event.reason;
    if (event.type === "best-model") this.#best = { round: event.round, metric: event.metric, value: event.value };
    const incident = incidentOf(event, { roundOf: (round) => this.#roundOf(round), workflow: workflow?.id ?? "" });
    if (incident !== undefined) this.#incidents.push({ atMs, ...incident });
  }

  #open(event: Opened, atMs: number): void {
    if (this.#rounds.has(event.round)) return;
    const id = event.workflow ?? "";
    let workflow = this.#workflows.at(-1);
    if (workflow?.id !== id) {
      workflow = { id, rounds: [], totalRounds: 0, endReason: null };
      this.#workflows.push(workflow);
      if (id !== "") this.#incidents.push({ atMs, kind: "info", text: `The workflow ${id} began` });
    }
    const oldestBase = event.buffered?.oldestBase ?? event.round;
    for (const before of this.#rounds.values()) if (before.round < oldestBase) stopWaiting(before.sites);
    const round = openRound(event, event.round - (workflow.rounds[0]?.round ?? event.round) + 1, atMs);
    // A task by another name than usual: what comes before evaluations are the models for them.
    if (round.kind === "evaluate") for (const before of workflow.rounds) if (before.kind === "train") before.kind = "submit";
    workflow.rounds.push(round);
    workflow.totalRounds = event.totalRounds;
    this.#rounds.set(event.round, round);
  }

  #roundOf(round: number): Pick<RoundView, "number" | "workflow"> {
    return this.#rounds.get(round) ?? { number: round + 1, workflow: "" };
  }
}

type Opened = Extract<JobEvent, { type: "round-opened" }>;

interface GrowingWorkflow extends WorkflowView {
  readonly rounds: RoundView[];
  totalRounds: number;
  endReason: string | null;
}

/** Whether a journal is another one with more at its end. */
function continues(entries: readonly JournalEntry[], before: readonly JournalEntry[]): boolean {
  return entries.length >= before.length && entries[0] === (before[0] ?? entries[0]) && entries[before.length - 1] === before.at(-1);
}

function applyToRounds(rounds: ReadonlyMap<number, RoundView>, event: Exclude<JobEvent, Opened>, atMs: number): void {
  if (event.type === "site-disconnected" || event.type === "site-connected" || event.type === "site-left") {
    const site = taskUnderWay(rounds, event.site);
    if (site === undefined) return;
    site.state = event.type === "site-connected" ? "working" : "gone";
    site.cause = event.type === "site-connected" ? "" : event.type === "site-left" ? event.error.message : event.reason;
    return;
  }
  if (event.type === "job-ended" || event.type === "workflow-ended") {
    for (const { sites } of rounds.values()) stopWaiting(sites);
    return;
  }
  if (!("round" in event)) return;
  const round = rounds.get(event.round);
  if (round === undefined) return;
  if (round.secureSum !== null) round.secureSum = sumAfter(round.secureSum, event);
  if (event.type === "task-assigned") {
    for (const site of event.sites) round.sites.set(site, newSite(site, atMs));
  } else if (event.type === "update-accepted") {
    const site = round.sites.get(event.site) ?? newSite(event.site, round.openedMs);
    site.state = "answered";
    site.answeredMs = atMs;
    site.weight = event.weight;
    site.bytes = event.update.size;
    site.metrics = event.metrics;
    site.spans = event.spans ?? [];
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
    // Lists of an intersection are handed on, and nobody's models.
    if (event.models !== undefined && round.kind !== "intersection") {
      round.kind = "submit";
      round.handedIn = Object.keys(event.models).sort();
    }
    round.madeOf = event.updates ?? [];
    if (round.buffered === null) stopWaiting(round.sites);
  }
}

/** What a site is at work on: in the newest round, if that is open, or in an older one where sites do not wait for each other. */
function taskUnderWay(rounds: ReadonlyMap<number, RoundView>, site: string): SiteInRound | undefined {
  const [newest, ...older] = [...rounds.values()].toReversed();
  const open = [newest, ...older].filter(
    (round) => round !== undefined && (round.buffered !== null || (round === newest && round.closedMs === null)),
  );
  return open.map((round) => round?.sites.get(site)).find((task) => task?.state === "working" || task?.state === "gone");
}

/** Nobody waits any longer for the sites of a round that have not answered. */
function stopWaiting(sites: RoundView["sites"]): void {
  for (const site of sites.values()) if (site.state === "working") site.state = "missing";
}

function openRound(event: Opened, number: number, openedMs: number): RoundView {
  const { round, task, sites, totalRounds, workflow = "", evaluates = "", asks = "", buffered = null, roster } = event;
  return {
    round,
    number,
    totalRounds,
    workflow,
    task,
    kind:
      asks === "statistics" || asks === "intersection" ? asks : evaluates !== "" ? "evaluate" : task === submitTask ? "submit" : "train",
    evaluates,
    openedMs,
    closedMs: null,
    deadlineMs: null,
    sites: new Map(sites.map((site) => [site, newSite(site, openedMs)])),
    metrics: {},
    bytes: null,
    aggregationSeconds: null,
    engine: "",
    strategy: "",
    handedIn: [],
    buffered,
    secureSum: roster === undefined ? null : noStep,
    madeOf: [],
  };
}

/** The task by which sites are usually asked for a model of their own; by what else, shows when it closes. */
const submitTask = "submit_model";

function newSite(site: string, openedMs: number): SiteInRound {
  return { site, state: "working", openedMs, answeredMs: null, weight: null, bytes: null, metrics: {}, cause: "", spans: [] };
}
