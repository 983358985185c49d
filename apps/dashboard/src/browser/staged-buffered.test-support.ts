import type { Job } from "@flare-ts/dashboard-api/contract";
import { note, type StagedJob, sign } from "./staged-job.test-support.js";

const model = { hash: "a".repeat(64), size: 48e6 };

interface Task {
  readonly site: string;
  readonly round: number;
  readonly doneMs: number;
}

/** A job under way in which sites do not wait for each other: the last takes ten times as long as the others, and is disconnected now. */
export function stageBuffered(job: Job, { models, updates }: { readonly models: number; readonly updates: number }): StagedJob {
  const staged: StagedJob = { job, journal: [], points: [], lines: [], receipts: [] };
  const { sites } = job;
  let atMs = job.submittedAtMs;
  let tasks: Task[] = [];
  let buffer: { readonly site: string; readonly round: number; readonly metrics: Readonly<Record<string, number>> }[] = [];
  const tell = (event: { readonly type: string; readonly [fact: string]: unknown }): void => void note(staged, atMs, event);
  const give = (names: readonly string[], round: number): void => {
    const took = (site: string): number => (4000 + 900 * sites.indexOf(site)) * (site === sites.at(-1) ? 10 : 1);
    tasks.push(...names.map((site) => ({ site, round, doneMs: atMs + took(site) })));
  };
  tell({ type: "job-submitted", submitter: job.submitter, name: job.name });
  tell({ type: "job-started", sites });
  for (let round = 0; round < models; round++) {
    const idle = sites.filter((site) => tasks.every((task) => task.site !== site));
    tell({ type: "round-opened", round, task: "train", model, sites: idle, totalRounds: 40, buffered: { oldestBase: 0, updates } });
    give(idle, round);
    while (buffer.length < updates) {
      const [next] = tasks.toSorted((a, b) => a.doneMs - b.doneMs);
      if (next === undefined || (round === models - 1 && buffer.length === updates - 1)) break;
      atMs = next.doneMs;
      tasks = tasks.filter((task) => task !== next);
      const dice = 0.9 - 0.5 * Math.exp(-next.round / 8) - 0.01 * sites.indexOf(next.site);
      const metrics = { train_loss: 1.1 - dice, dice };
      buffer.push({ ...next, metrics });
      const update = { hash: "c".repeat(64), size: 48e6 };
      tell({ type: "update-accepted", ...next, task: "train", update, paramsType: "DIFF", weight: 412, metrics, meta: {} });
      if (next.round === round || buffer.length === updates) continue;
      tell({ type: "task-assigned", round, task: "train", model, sites: [next.site] });
      give([next.site], round);
    }
    if (buffer.length < updates) break;
    atMs += 300;
    const closed = { round, contributors: [...new Set(buffer.map(({ site }) => site))].sort(), missing: [] };
    const mean = (name: string): number => buffer.reduce((sum, { metrics }) => sum + (metrics[name] ?? 0), 0) / buffer.length;
    const counted = buffer.map(({ site, round: base }) => ({ site, round: base })).toSorted((a, b) => (a.site < b.site ? -1 : 1));
    tell({
      type: "round-closed",
      ...closed,
      updates: counted,
      model: sign(staged, { ...closed, task: "train", atMs }),
      metrics: { train_loss: mean("train_loss"), dice: mean("dice") },
      bytes: 48e6 * updates,
      aggregationSeconds: 0.3,
      engine: "cpu-wasm-exact",
      strategy: "fed-buff",
    });
    buffer = [];
  }
  tell({ type: "site-disconnected", site: sites.at(-1), reason: "its link broke" });
  return staged;
}
