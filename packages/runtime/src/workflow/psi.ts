import type { PsiSettings } from "@flare-ts/contracts/job";
import { psiRounds, psiStepOf } from "../psi/psi-steps.js";
import type { ObjectRef } from "../store/model-store.js";
import { sitesLost } from "./round-quorum.js";
import type { HeldRound, ScriptStep, WorkflowScript } from "./script-machine.js";
import type { SiteFailure } from "./site-failure.js";
import type { WorkflowPlan } from "./workflow-plan.js";

/** How far an intersection is. */
export interface HeldIntersection {
  readonly rounds: number;
  /** Sites that have answered in each round so far; `undefined` before the first. */
  readonly answered: readonly string[] | undefined;
  /** What every site begins with. */
  readonly model: ObjectRef;
  /** What each site has made in the round before, for the one that comes next. */
  readonly made: Readonly<Record<string, ObjectRef>>;
  readonly failures: readonly SiteFailure[];
}

/** Sites of an intersection, at least. */
const leastSites = 2;

/**
 * Private set intersection: each site's identifiers go around all sites, and each blinds and shuffles them; then what all lists have in common goes
 * back the same way, and each site learns it of its own. A site that is lost ends the job: what the others have in common is more than was asked.
 */
export function psiScript(settings: PsiSettings, plan: WorkflowPlan): WorkflowScript<HeldIntersection> {
  const { sites } = plan;
  const total = psiRounds(sites.length);
  return {
    initial: { rounds: 0, answered: undefined, model: plan.initialModel, made: {}, failures: [] },
    next: ({ rounds, answered, model, made, failures }, present): ScriptStep => {
      const isOver = rounds === total;
      // Whoever leaves after the last round has its part.
      const there = isOver ? (answered ?? []) : sites.filter((site) => present.includes(site) && (answered ?? sites).includes(site));
      if (there.length < Math.max(leastSites, sites.length)) {
        const needed = Math.max(leastSites, sites.length);
        const what = `A private set intersection needs all its sites, and two at least: ${needed}; only ${there.length} can answer.`;
        return { type: "fail", error: sitesLost(what, failures, { needed, possible: there.length }) };
      }
      if (isOver) return { type: "end", model: plan.initialModel, reason: `intersection of ${sites.length} sites` };
      return {
        type: "round",
        task: settings.taskName,
        model,
        ...(rounds === 0 ? {} : { models: handedOn(made, { sites, rounds, total }) }),
        sites,
        totalRounds: total,
        use: "summarize",
        asks: "intersection",
        timeoutMs: settings.timeoutMs,
        own: { current: rounds, start: 0, total },
      };
    },
    after: ({ rounds, failures }, { open, closed }: HeldRound) => ({
      rounds: rounds + 1,
      answered: closed.contributors,
      model: closed.model,
      made: closed.models ?? {},
      failures: [...failures, ...open.failures],
    }),
  };
}

/**
 * Who gets what: while lists are blinded, each site that of the one before it; once they are compared, each what was found in the list that it sent
 * last; and after that, each that of the one behind it, against the direction in which the lists went.
 */
function handedOn(
  made: Readonly<Record<string, ObjectRef>>,
  { sites, rounds, total }: { readonly sites: readonly string[]; readonly rounds: number; readonly total: number },
): Readonly<Record<string, ObjectRef>> {
  const isBlinding = psiStepOf(rounds, total).kind === "blind";
  const shift = isBlinding ? sites.length - 1 : rounds === total / 2 ? 0 : 1;
  return Object.fromEntries(
    sites.flatMap((site, at) => {
      const maker = sites[(at + shift) % sites.length];
      const ref = maker === undefined ? undefined : made[maker];
      return ref === undefined ? [] : [[site, ref] as const];
    }),
  );
}
