import { type StatisticsGroup as FoundGroup, type ReceiptVerdict, statisticsByGroup } from "@flare-ts/runtime/admin";
import {
  getJobStatistics,
  type JobRoundReceipt,
  listJobEvents,
  listJobLogs,
  listJobMetrics,
  listJobReceipts,
  type StatisticsGroup,
} from "../contract/jobs.js";
import type { DashboardParts } from "../dashboard-parts.js";
import { type Implementation, implement } from "../http/implement.js";
import { requireRight } from "./job-permissions.js";
import { jobOf } from "./read-job.js";

/** Entries given where nobody says how many. */
const usualLimit = 2_000;

/** What jobs and their sites say: journal, tracked metrics, log lines. */
export function implementJobReports(parts: DashboardParts): readonly Implementation[] {
  const { link } = parts.federation;
  return [
    implement(listJobEvents, async ({ actor, params, query }) => {
      requireRight(actor, "get_job_meta");
      const { after, limit = usualLimit } = query;
      const { entries, hasMore } = await link.admin().jobEvents(params.id, { after, limit });
      return { entries: entries.map(({ seq, atMs, event }) => ({ seq, atMs, event: { ...event } })), hasMore };
    }),
    implement(listJobMetrics, async ({ actor, params, query }) => {
      requireRight(actor, "get_job_meta");
      const { after, limit = usualLimit } = query;
      const { entries, hasMore, isCut } = await link.admin().jobMetrics(params.id, { after, limit });
      return { points: [...entries], hasMore, isCut };
    }),
    implement(listJobReceipts, async ({ actor, params }) => {
      requireRight(actor, "get_job_meta");
      const { verdicts } = await link.admin().receipts(params.id);
      return { receipts: verdicts.map((verdict, index) => receiptOf(verdict, index + 1)) };
    }),
    implement(getJobStatistics, async ({ actor, params }) => {
      const job = await jobOf(parts, params.id);
      // The same as in a download.
      requireRight(actor, "download_job", job);
      const statistics = await link.admin().statistics(job.id, { signal: parts.stopping });
      return { statistics: statistics.map(({ path, result }) => ({ path, groups: statisticsByGroup(result).map(groupOf) })) };
    }),
    implement(listJobLogs, async ({ actor, params, query }) => {
      const job = await jobOf(parts, params.id);
      // Log lines may hold more than a model does.
      requireRight(actor, "download_job", job);
      const { after, limit = usualLimit, site } = query;
      const { entries, hasMore, isCut } = await link.admin().jobLogs(params.id, { after, limit });
      const open = link.view().sites.filter(({ allowsLogStreaming }) => allowsLogStreaming);
      return {
        lines: entries.filter((line) => site === undefined || line.site === site),
        hasMore,
        isCut,
        sites: job.sites.filter((name) => open.some((one) => one.name === name)),
      };
    }),
  ];
}

function groupOf({ names, level, isSite, statistics }: FoundGroup): StatisticsGroup {
  return { names: [...names], level: level ?? null, isSite, statistics: statistics as StatisticsGroup["statistics"] };
}

function receiptOf(verdict: ReceiptVerdict, number: number): JobRoundReceipt {
  if (!verdict.ok) return { number, isGood: false, why: verdict.why, receipt: null };
  const { round, closed_at_ms: closedAtMs, base, model, contributions, missing, strategy, engine } = verdict.receipt;
  const updates = contributions.map(({ site, update, params_type: paramsType, weight }) => ({ site, update, paramsType, weight }));
  const { server } = verdict;
  return {
    number,
    isGood: true,
    why: "",
    receipt: { round, closedAtMs, base, model, contributions: updates, missing, strategy, engine, server },
  };
}
