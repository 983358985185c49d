import type { StatisticsSettings } from "@flare-ts/contracts/job";
import type { StrategyState } from "../job/job-event.js";
import { passesOf } from "../statistics/statistics-request.js";
import type { ObjectRef } from "../store/model-store.js";
import { sitesLost } from "./round-quorum.js";
import type { HeldRound, ScriptStep, WorkflowScript } from "./script-machine.js";
import type { SiteFailure } from "./site-failure.js";
import type { WorkflowPlan } from "./workflow-plan.js";

/** How far statistics are. */
export interface HeldStatistics {
  readonly passes: number;
  /** Sites that have answered in each pass so far; `undefined` before the first. */
  readonly contributors: readonly string[] | undefined;
  /** The document that the next pass begins with; `undefined` before the first. */
  readonly request: ObjectRef | undefined;
  readonly state: StrategyState | undefined;
  readonly failures: readonly SiteFailure[];
}

/**
 * Asks sites for statistics of their data, in two passes where they need what only all sites together know, such as the mean of all values.
 * A site that has failed in one is not asked in the next, and nothing of it counts.
 */
export function statisticsScript(settings: StatisticsSettings, plan: WorkflowPlan): WorkflowScript<HeldStatistics> {
  const total = passesOf(settings);
  return {
    initial: { passes: 0, contributors: undefined, request: undefined, state: undefined, failures: [] },
    next: ({ passes, contributors, request, state, failures }, present): ScriptStep => {
      const isOver = passes === total;
      const sites =
        contributors === undefined || isOver ? (contributors ?? present) : contributors.filter((site) => present.includes(site));
      if (sites.length < Math.max(1, settings.minClients)) {
        const { minClients: needed } = settings;
        const done = contributors === undefined ? "are there" : isOver ? "have answered" : "are left";
        const what = `Statistics need ${needed} ${needed === 1 ? "site" : "sites"}, and only ${sites.length} ${done}.`;
        return { type: "fail", error: sitesLost(what, failures, { needed, possible: sites.length }) };
      }
      if (isOver) {
        return { type: "end", model: plan.initialModel, reason: `statistics of ${sites.length} ${sites.length === 1 ? "site" : "sites"}` };
      }
      return {
        type: "round",
        task: settings.taskName,
        model: request ?? plan.initialModel,
        sites,
        totalRounds: total,
        use: "summarize",
        asks: "statistics",
        timeoutMs: settings.timeoutMs,
        own: { current: passes, start: 0, total },
        state,
      };
    },
    after: ({ passes, failures }, { open, closed }: HeldRound) => ({
      passes: passes + 1,
      contributors: closed.contributors,
      request: closed.model,
      state: closed.state,
      failures: [...failures, ...open.failures],
    }),
  };
}
