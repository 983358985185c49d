import { contentHashSchema } from "@flare-ts/contracts";
import type { FederationAdmin } from "@flare-ts/dashboard-api";
import type { Job, JobJournalEntry, JobLogLine, MetricPoint } from "@flare-ts/dashboard-api/contract";

type Verdicts = Awaited<ReturnType<FederationAdmin["receipts"]>>["verdicts"];

/** A job with everything that a server has of it. */
export interface StagedJob {
  job: Job;
  readonly journal: JobJournalEntry[];
  readonly points: MetricPoint[];
  readonly lines: JobLogLine[];
  receipts: Verdicts;
  /** What came of statistics, where the job has asked for them. */
  statistics?: Awaited<ReturnType<FederationAdmin["statistics"]>>;
}

export interface StageInit {
  /** Rounds that are closed. */
  readonly closedRounds: number;
  readonly totalRounds: number;
  readonly startMs: number;
  readonly roundMs: number;
  /** Whether another round is open, with an answer of the first site only. */
  readonly isOpen?: boolean;
}

/** A site that is away in the rounds whose number, from 0, leaves this rest when divided by 7. */
const awayRest = 4;

/** Fills in what a job of that many rounds leaves behind: its journal, curves, log lines and receipts. */
export function stageJob(job: Job, { closedRounds, totalRounds, startMs, roundMs, isOpen = false }: StageInit): StagedJob {
  const staged: StagedJob = { job, journal: [], points: [], lines: [], receipts: [] };
  note(staged, job.submittedAtMs, { type: "job-submitted", submitter: job.submitter, name: job.name });
  note(staged, startMs - 500, { type: "job-started", sites: job.sites });
  let bestValue = 0;
  for (let round = 0; round < closedRounds; round++) {
    const openedMs = startMs + round * roundMs;
    openRound(staged, round, totalRounds, openedMs);
    const away = round % 7 === awayRest ? job.sites.at(-1) : undefined;
    if (away !== undefined) {
      note(staged, openedMs + 0.1 * roundMs, { type: "site-disconnected", site: away, reason: "the connection was reset by its firewall" });
      note(staged, openedMs + 0.9 * roundMs, { type: "deadline-passed", round, late: [{ site: away, why: "disconnected for 41 s" }] });
    }
    const answering = job.sites.filter((site) => site !== away);
    for (const [at, site] of answering.entries()) answer(staged, round, site, openedMs + (0.3 + (0.5 * at) / answering.length) * roundMs);
    closeRound(staged, round, answering, away === undefined ? [] : [away], openedMs + 0.95 * roundMs);
    const value = dice(round, 0);
    if (value > bestValue) {
      bestValue = value;
      note(staged, openedMs + 0.96 * roundMs, {
        type: "best-model",
        round,
        model: { hash: "b".repeat(64), size: 9 },
        metric: "dice",
        value,
      });
    }
    if (away !== undefined) note(staged, openedMs + 0.98 * roundMs, { type: "site-connected", site: away });
  }
  if (isOpen) {
    const openedMs = startMs + closedRounds * roundMs;
    openRound(staged, closedRounds, totalRounds, openedMs);
    answer(staged, closedRounds, job.sites[0] ?? "", openedMs + 0.3 * roundMs);
  }
  return staged;
}

/** Writes an entry into a job's journal, and gives it. */
export function note(
  { journal }: StagedJob,
  atMs: number,
  event: { readonly type: string; readonly [fact: string]: unknown },
): JobJournalEntry {
  const entry = { seq: journal.length + 1, atMs: Math.round(atMs), event };
  journal.push(entry);
  return entry;
}

/** Opens a round for all sites of a job. */
export function openRound(staged: StagedJob, round: number, totalRounds: number, atMs: number): JobJournalEntry {
  const { sites } = staged.job;
  return note(staged, atMs, {
    type: "round-opened",
    round,
    task: "train",
    model: { hash: "a".repeat(64), size: 48e6 },
    sites,
    totalRounds,
  });
}

/** A site answers: its update, what its script tracked, and what it printed. */
export function answer(staged: StagedJob, round: number, site: string, atMs: number): JobJournalEntry {
  const { sites } = staged.job;
  const at = sites.indexOf(site);
  const metrics = { train_loss: loss(round, at), dice: dice(round, at) };
  for (let step = 0; step < 8; step++) {
    staged.points.push({
      seq: staged.points.length + 1,
      atMs: Math.round(atMs - (8 - step) * 300),
      site,
      key: "batch_loss",
      value: loss(round + step / 8, at) * (1 + 0.1 * Math.sin(13 * step + round + at)),
      round,
      step: round * 8 + step,
    });
  }
  const say = (source: "trainer" | "job", text: string): void => {
    staged.lines.push({ seq: staged.lines.length + 1, atMs: Math.round(atMs), site, source, text });
  };
  // Two sites let their logs be read.
  if (at < 2) say("job", `round ${round + 1}: the model is here, training begins`);
  if (at < 2) say("trainer", `epoch 1/1: loss ${metrics.train_loss.toFixed(4)}, dice ${metrics.dice.toFixed(4)}, 412 of 412 volumes`);
  return note(staged, atMs, {
    type: "update-accepted",
    round,
    task: "train",
    site,
    update: { hash: "c".repeat(64), size: 48e6 + at * 1000 },
    paramsType: "FULL",
    weight: 412 + 57 * at,
    metrics,
    meta: {},
    spans: [
      { phase: "waiting", reason: "waits for GPUs, behind another job", ms: 400 },
      { phase: "downloading", ms: 700 },
      { phase: "training", ms: 4000 },
      { phase: "uploading", ms: 900 },
    ],
  });
}

/** Closes a round, with its receipt. */
export function closeRound(
  staged: StagedJob,
  round: number,
  contributors: readonly string[],
  missing: readonly string[],
  atMs: number,
): JobJournalEntry {
  const model = sign(staged, { round, task: "train", contributors, missing, atMs });
  return note(staged, atMs, {
    type: "round-closed",
    round,
    contributors,
    missing,
    model,
    metrics: { train_loss: loss(round, 0.5), dice: dice(round, 0.5) },
    bytes: 48e6 * contributors.length,
    aggregationSeconds: 0.34,
    engine: "cpu-wasm-exact",
    strategy: "FedAvg",
  });
}

/** What a receipt is signed of. */
export interface SignInit {
  readonly round: number;
  readonly task: string;
  readonly contributors: readonly string[];
  readonly missing: readonly string[];
  readonly atMs: number;
}

/** The server signs the receipt of a round; gives the model that it stands for. */
export function sign(staged: StagedJob, { round, task, contributors, missing, atMs }: SignInit) {
  const number = staged.receipts.length + 1;
  const model = { hash: contentHashSchema.parse(number.toString(16).padStart(2, "0").repeat(32)), size: 48e6 };
  staged.receipts = [
    ...staged.receipts,
    {
      ok: true,
      server: "server.example.org",
      receipt: {
        format_version: 1,
        project: "breast_study",
        job_id: staged.job.id,
        number,
        previous: "",
        round,
        task,
        opened_at_ms: Math.round(atMs - 1000),
        closed_at_ms: Math.round(atMs),
        base: model,
        model,
        contributions: contributors.map((site) => ({ site, update: model, params_type: "FULL", weight: 412 })),
        missing: [...missing],
        metrics: {},
        strategy: "FedAvg",
        engine: "cpu-wasm-exact",
      },
    },
  ];
  return model;
}

function loss(round: number, site: number): number {
  return 0.18 + 0.04 * site + 1.1 * Math.exp(-round / 5) + 0.02 * Math.sin(7 * round + 3 * site);
}

function dice(round: number, site: number): number {
  return 0.91 - 0.015 * site - 0.55 * Math.exp(-round / 4) + 0.008 * Math.sin(5 * round + 2 * site);
}
