import type { Job, JobJournalEntry } from "@flare-ts/dashboard-api/contract";
import { stageBuffered } from "./staged-buffered.test-support.js";
import type { StagedFederation } from "./staged-federation.test-support.js";
import { note, type StagedJob, sign } from "./staged-job.test-support.js";

/** Ids of the jobs that `stageWorkflows` puts on the stage. */
export const workflowJobs = {
  /** Trains, then has the models evaluated at all sites; the evaluation goes on. */
  evaluating: "6a1f0b52-7c1d-4e60-9b1a-0d5c9e2f7a11",
  /** Sites take turns; the last turn is open. */
  cyclic: "6a1f0b52-7c1d-4e60-9b1a-0d5c9e2f7a12",
  /** Trains in turns at many sites, then has their models evaluated; it is over. */
  wide: "6a1f0b52-7c1d-4e60-9b1a-0d5c9e2f7a13",
  /** Has the server's models evaluated and does nothing else; it was aborted. */
  measuring: "6a1f0b52-7c1d-4e60-9b1a-0d5c9e2f7a14",
  /** Asks sites what data they have; it is over. */
  statistics: "6a1f0b52-7c1d-4e60-9b1a-0d5c9e2f7a15",
  levels: "0c9b7d1e-2f6a-4f3b-8d6c-7a54e1b3c928",
  /** Sites do not wait for each other; models are being made. */
  buffered: "6a1f0b52-7c1d-4e60-9b1a-0d5c9e2f7a16",
} as const;

const model = { hash: "a".repeat(64), size: 48e6 };

/** Jobs of several workflows, of turns and of evaluations beside those that a stage has anyway. */
export function stageWorkflows(federation: StagedFederation, nowMs: number): void {
  const sites = federation.sites.map(({ name }) => name);
  const jobOf = (id: string, name: string, change: Partial<Job>): Job => ({
    id,
    name,
    status: "RUNNING",
    submitter: "dan@university.org",
    organization: "university",
    submittedAtMs: nowMs,
    endedAtMs: null,
    reason: "",
    sites,
    progress: {},
    ...change,
    startedAtMs: change.submittedAtMs ?? nowMs,
  });
  const evaluating = new Script(jobOf(workflowJobs.evaluating, "tumour-segmentation-and-evaluation", { submittedAtMs: nowMs - 290_000 }));
  evaluating.train("fedavg", { rounds: 4, turns: false });
  evaluating.end("all 4 rounds are done");
  evaluating.evaluate("cross-site-evaluation", { failing: sites[4] ?? "", models: 4, openAnswers: 2 });
  const cyclic = new Script(jobOf(workflowJobs.cyclic, "weights-that-travel", { submittedAtMs: nowMs - 140_000 }));
  cyclic.train(undefined, { rounds: 12, turns: true, failingRound: 8, isLastOpen: true });
  const many = Array.from({ length: 12 }, (_, at) => `hospital-of-the-region-${at + 1}`);
  const wide = new Script(
    jobOf(workflowJobs.wide, "many-sites", {
      status: "FINISHED:COMPLETED",
      endedAtMs: nowMs,
      sites: many,
      submittedAtMs: nowMs - 2_500_000,
    }),
  );
  wide.train("turns", { rounds: 24, turns: true });
  wide.end("all 2 rounds are done");
  wide.evaluate("everywhere", { failing: "", models: 14, openAnswers: 0 });
  wide.end("14 models evaluated");
  const measuring = new Script(
    jobOf(workflowJobs.measuring, "is-it-better-now", { status: "FINISHED:ABORTED", endedAtMs: nowMs, submittedAtMs: nowMs - 60_000 }),
  );
  measuring.evaluate(undefined, { failing: sites[1] ?? "", models: 2, openAnswers: 3 });
  measuring.abort("by dan@university.org");
  const asking = new Script(
    jobOf(workflowJobs.statistics, "what-data-there-is", {
      status: "FINISHED:COMPLETED",
      endedAtMs: nowMs,
      submittedAtMs: nowMs - 9_000,
      reason: "statistics of 4 sites",
    }),
  );
  asking.ask("statistics", sites.slice(0, 4));
  asking.staged.statistics = [{ path: "statistics/cohort.json", result: statisticsOf(sites.slice(0, 4)) }];
  const levels = new Script(
    jobOf(workflowJobs.levels, "what-data-there-is-by-country", {
      status: "FINISHED:COMPLETED",
      endedAtMs: nowMs,
      submittedAtMs: nowMs - 8_000,
      reason: "statistics of 4 sites",
    }),
  );
  levels.ask("statistics", sites.slice(0, 4));
  levels.staged.statistics = [{ path: "statistics/countries.json", result: statisticsByCountry(sites.slice(0, 4)) }];
  const buffered = stageBuffered(jobOf(workflowJobs.buffered, "nobody-waits", { submittedAtMs: nowMs - 90_000 }), {
    models: 12,
    updates: 3,
  });
  federation.jobs.set(buffered.job.id, buffered);
  for (const { staged } of [evaluating, cyclic, wide, measuring, asking, levels]) federation.jobs.set(staged.job.id, staged);
}

/** The next site measures the model of the round that is open in the evaluation; the page hears of it. */
export function measureNext(federation: StagedFederation, site: string): JobJournalEntry {
  const staged = federation.jobs.get(workflowJobs.evaluating);
  const opened = staged?.journal.findLast(({ event }) => event.type === "round-opened");
  if (staged === undefined || opened === undefined) throw new Error("the evaluation left the stage");
  const { round, evaluates } = opened.event as unknown as { readonly round: number; readonly evaluates: string };
  const entry = note(staged, opened.atMs + 3000, answerOf(round, "validate", site, measured(evaluates, staged.job.sites.indexOf(site))));
  federation.tell({ kind: "job-events", jobId: staged.job.id, entries: [entry] });
  return entry;
}

interface TrainInit {
  readonly rounds: number;
  /** Whether each round is of one site. */
  readonly turns: boolean;
  readonly failingRound?: number;
  readonly isLastOpen?: boolean;
}

interface EvaluateInit {
  /** A site that fails whatever it is asked for. */
  readonly failing: string;
  /** Models whose round is opened. */
  readonly models: number;
  /** Sites that have answered in the last round, which is open then; 0: it is closed. */
  readonly openAnswers: number;
}

type Metrics = Readonly<Record<string, number>>;

interface OpenInit {
  readonly workflow: string | undefined;
  readonly task: string;
  readonly sites: readonly string[];
  readonly totalRounds: number;
  readonly evaluates?: string;
  readonly asks?: "statistics";
}

/** Writes a job's journal, workflow by workflow. */
class Script {
  readonly staged: StagedJob;
  #round = -1;
  #task = "";
  /** What sites have answered in the round that is open. */
  #answers = new Map<string, Metrics>();
  #missing: string[] = [];
  #atMs: number;

  constructor(job: Job) {
    this.staged = { job, journal: [], points: [], lines: [], receipts: [] };
    this.#atMs = job.submittedAtMs;
    note(this.staged, this.#atMs, { type: "job-submitted", submitter: job.submitter, name: job.name });
    note(this.staged, this.#atMs, { type: "job-started", sites: job.sites });
  }

  train(workflow: string | undefined, { rounds, turns, failingRound, isLastOpen = false }: TrainInit): void {
    const { sites } = this.staged.job;
    for (let index = 0; index < rounds; index++) {
      const asked = turns ? [sites[index % sites.length] ?? ""] : sites;
      this.#open({ workflow, task: "train", sites: asked, totalRounds: rounds });
      if (isLastOpen && index === rounds - 1) return;
      for (const site of asked) this.#answer(site, index === failingRound ? undefined : trained(index, sites.indexOf(site)));
      const { dice } = this.#close({ engine: "cpu-wasm-exact", strategy: "fed-avg" });
      if (!turns) this.#note({ type: "best-model", round: this.#round, model, metric: "dice", value: dice });
    }
  }

  /** Statistics, in two passes. */
  ask(workflow: string, asked: readonly string[]): void {
    for (const _ of [1, 2]) {
      this.#open({ workflow, task: "fed_stats", sites: asked, totalRounds: 2, asks: "statistics" });
      for (const site of asked) this.#answer(site, {});
      this.#close();
    }
    this.end(`statistics of ${asked.length} sites`);
  }

  /** Models of sites are evaluated as well where the job has other workflows. */
  evaluate(workflow: string | undefined, { failing, models, openAnswers }: EvaluateInit): void {
    const { sites } = this.staged.job;
    const able = sites.filter((site) => site !== failing);
    const server = ["SRV_FL_global_model", "SRV_best_FL_global_model"];
    const owners = workflow === undefined ? server : [...server, ...able.toSorted()];
    const totalRounds = workflow === undefined ? owners.length : owners.length + 1;
    if (workflow !== undefined) {
      this.#open({ workflow, task: "submit_model", sites, totalRounds });
      for (const site of sites) this.#answer(site, site === failing ? undefined : {});
      this.#close({ models: Object.fromEntries(able.map((site) => [site, model])) });
    }
    for (const [index, owner] of owners.slice(0, models).entries()) {
      const isOpen = openAnswers > 0 && index === models - 1;
      this.#open({ workflow, task: "validate", sites, totalRounds, evaluates: owner });
      for (const site of isOpen ? sites.slice(0, openAnswers) : sites)
        this.#answer(site, site === failing ? undefined : measured(owner, sites.indexOf(site)));
      if (!isOpen) this.#close();
    }
  }

  end(reason: string): void {
    this.#note({ type: "workflow-ended", model, reason });
  }

  abort(reason: string): void {
    this.#note({ type: "job-ended", status: "FINISHED:ABORTED", reason });
  }

  #open({ workflow, ...opened }: OpenInit): void {
    this.#atMs += 4000;
    this.#task = opened.task;
    this.#answers = new Map();
    this.#missing = [];
    this.#note({ type: "round-opened", round: ++this.#round, model, ...(workflow === undefined ? {} : { workflow }), ...opened });
  }

  #answer(site: string, metrics: Metrics | undefined): void {
    this.#atMs += 4000 + 900 * this.staged.job.sites.indexOf(site);
    const [round, task] = [this.#round, this.#task];
    if (metrics === undefined) {
      this.#missing.push(site);
      const error = { code: "site/trainer-failed", message: "The training script ended with status 1: no such file: holdout.csv." };
      this.#note({ type: "task-failed", round, task, site, error });
    } else {
      this.#answers.set(site, metrics);
      this.#note(answerOf(round, task, site, metrics));
    }
  }

  #close(more: object = {}): Metrics {
    this.#atMs += 700;
    const all = [...this.#answers.values()];
    const mean = (name: string): number => all.reduce((sum, metrics) => sum + (metrics[name] ?? 0), 0) / all.length;
    const metrics = Object.fromEntries(Object.keys(all[0] ?? {}).map((name) => [name, mean(name)]));
    const closed = { round: this.#round, contributors: [...this.#answers.keys()], missing: this.#missing };
    const signed = sign(this.staged, { ...closed, task: this.#task, atMs: this.#atMs });
    const bytes = 48e6 * closed.contributors.length;
    this.#note({ type: "round-closed", ...closed, model: signed, metrics, bytes, aggregationSeconds: 0.3, ...more });
    return metrics;
  }

  #note(event: { readonly type: string; readonly [fact: string]: unknown }): void {
    note(this.staged, this.#atMs, event);
  }
}

/** Numbers of four features in two data sets, as sites with other patients would have them. */
function statisticsOf(sites: readonly string[]) {
  const bell = (at: number, total: number): [number, number, number][] =>
    Array.from({ length: 20 }, (_, i) => [20 + 4 * i, 24 + 4 * i, Math.round(total * Math.exp(-(((i - at) / 4) ** 2)))]);
  const of = (start: number, feature: number) => (dataset: string) => {
    const each = sites.map((site, at) => ({ site, count: 40 + 31 * at, mean: start + at, bins: bell(5 + at + feature, 12 + 3 * at) }));
    const count = each.reduce((sum, one) => sum + one.count, 0);
    const mean = each.reduce((sum, one) => sum + one.count * one.mean, 0) / count;
    const total = bell(0, 0).map(([low, high], i): [number, number, number] => [
      low,
      high,
      each.reduce((sum, { bins }) => sum + (bins[i]?.[2] ?? 0), 0),
    ]);
    return [...each, { site: "Global", count, mean, bins: total }].map((one) => ({ ...one, dataset }));
  };
  const features = { "age at diagnosis": 54, "tumour diameter in mm": 23.4, "oestrogen receptor": 0.7, "body mass index": 26.1 };
  return Object.fromEntries(
    Object.entries(features).map(([name, start], feature) => {
      const values = ["training", "validation"].flatMap(of(start, feature));
      const table = <Value>(valueOf: (value: (typeof values)[number]) => Value) => {
        const bySite = Map.groupBy(values, ({ site }) => site);
        const entries = [...bySite].map(
          ([site, own]) => [site, Object.fromEntries(own.map((one) => [one.dataset, valueOf(one)]))] as const,
        );
        return Object.fromEntries(entries);
      };
      return [
        name,
        {
          count: table(({ count }) => count),
          mean: table(({ mean }) => mean),
          stddev: table(({ mean }) => mean / 5),
          histogram: table(({ bins }) => bins),
          quantile: table(({ mean }) => ({ "0.1": mean * 0.8, "0.5": mean, "0.9": mean * 1.3 })),
        },
      ];
    }),
  );
}

/** Counts and means of one feature at sites in two countries, the second of which has its sites in two towns. */
function statisticsByCountry(sites: readonly string[]) {
  const of = (some: readonly string[]) => {
    const each = some.map((site) => ({ count: 40 + 31 * sites.indexOf(site), mean: 54 + sites.indexOf(site) }));
    const count = each.reduce((sum, one) => sum + one.count, 0);
    const mean = each.reduce((sum, one) => sum + one.count * one.mean, 0) / count;
    return { count: { training: { "age at diagnosis": count } }, mean: { training: { "age at diagnosis": mean } } };
  };
  const local = (some: readonly string[]) => some.map((site) => ({ Name: site, Local: of([site]) }));
  const [first, second, last] = [sites.slice(0, 2), sites.slice(2, 3), sites.slice(3)];
  const towns = [
    { Name: "Bern", Hospitals: local(second), Global: of(second) },
    { Name: "Thun", Hospitals: local(last), Global: of(last) },
  ];
  return {
    Global: of(sites),
    Countries: [
      { Name: "Austria", Hospitals: local(first), Global: of(first) },
      { Name: "Switzerland", Towns: towns, Global: of([...second, ...last]) },
    ],
  };
}

function answerOf(round: number, task: string, site: string, metrics: Metrics) {
  const update = { hash: "c".repeat(64), size: task === "validate" ? 8 : 48e6 };
  return { type: "update-accepted", round, task, site, update, paramsType: "FULL", weight: 412, metrics, meta: {} };
}

function trained(round: number, site: number): Readonly<Record<"train_loss" | "dice", number>> {
  return { train_loss: 0.2 + Math.exp(-round / 5) + 0.03 * site, dice: 0.9 - 0.5 * Math.exp(-round / 4) - 0.01 * site };
}

function measured(owner: string, site: number): Metrics {
  const spread = (7 * owner.length + owner.charCodeAt(owner.length - 1)) % 17;
  const dice = (owner.startsWith("SRV_") ? 0.86 : 0.58 + spread / 80) + 0.03 * Math.sin(5 * site + spread);
  return { dice, hausdorff_mm: 31 - 24 * dice, val_loss: 1.3 - dice };
}
