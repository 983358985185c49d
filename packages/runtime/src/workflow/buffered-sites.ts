import type { BaseInUse, BufferedPlan, BufferedState } from "./buffered-state.js";
import { presentSites } from "./round-quorum.js";
import { shuffleSites } from "./sample-sites.js";

type Held = Pick<BufferedState, "sites" | "left">;

/** Sites that are at work, on whichever model. */
export function sitesAtWork({ sites, left }: Held): readonly string[] {
  return [...sites].flatMap(([site, { isAtWork }]) => (isAtWork && !left.some((gone) => gone.site === site) ? [site] : []));
}

/** Whether a site of the job may be given the model of a round: it is here, idle, and was not given that model before. */
export function mayTake(plan: BufferedPlan, state: Held, site: string, round: number): boolean {
  const turn = state.sites.get(site);
  const isFree = turn === undefined || (!turn.isAtWork && turn.round < round);
  return isFree && presentSites(plan, state).includes(site);
}

/**
 * Sites that are to be given the model of a round now, sorted: as many as may be at work at once, who was given a model longest ago first. Of
 * those that had none yet, and at the same moment, a draw decides, which is the same one each time that it is asked.
 */
export function sitesToAssign(plan: BufferedPlan, state: Held, round: number): readonly string[] {
  const { concurrency, seed } = plan.settings;
  const free = Math.max(0, concurrency - sitesAtWork(state).length);
  const since = (site: string): number => state.sites.get(site)?.since ?? 0;
  const idle = shuffleSites(plan.sites, { seed, round }).filter((site) => mayTake(plan, state, site, round));
  return idle
    .toSorted((a, b) => since(a) - since(b))
    .slice(0, free)
    .sort();
}

/** The oldest round whose model sites may be at work on while a round is made. */
export function oldestBaseOf({ firstRound, settings: { maxStaleness } }: BufferedPlan, round: number): number {
  return maxStaleness === undefined ? firstRound : Math.max(firstRound, round - maxStaleness);
}

/** The state as a round opens that tells sites with older models to stop: they are idle then, and what they have handed in is too old. */
export function withoutOlderThan<State extends Held & Pick<BufferedState, "buffer">>(state: State, oldest: number): State {
  const sites = new Map(
    [...state.sites].map(([site, turn]) => [site, turn.isAtWork && turn.round < oldest ? { ...turn, isAtWork: false } : turn] as const),
  );
  return { ...state, sites, buffer: state.buffer.filter(({ base }) => base.round >= oldest) };
}

/** Rounds whose models are of use still: that of `newest`, and those that a site is at work on. */
export function roundsInUse(state: Held & { readonly bases: ReadonlyMap<number, BaseInUse> }, newest: number): ReadonlySet<number> {
  const atWork = sitesAtWork(state).flatMap((site) => state.sites.get(site)?.round ?? []);
  return new Set([...atWork, newest]);
}
