import type { RoundView } from "./round-view.js";
import type { WorkflowView } from "./workflow-view.js";

/** What is under way where sites do not wait for each other. */
export interface BufferedWork {
  /** Updates that make a model. */
  readonly updates: number;
  /** Updates that are in no model yet. */
  readonly buffered: number;
  /** Sites at work, each on the model of which round, sorted. */
  readonly atWork: readonly { readonly site: string; readonly round: RoundView }[];
}

/** What is under way in a workflow; `null` where its sites wait for each other. */
export function bufferedWork({ rounds }: Pick<WorkflowView, "rounds">): BufferedWork | null {
  const newest = rounds.at(-1)?.buffered ?? null;
  if (newest === null) return null;
  const counted = new Set(rounds.flatMap(({ madeOf }) => madeOf.map(({ site, round }) => `${round} ${site}`)));
  const sites = rounds.flatMap((round) => [...round.sites.values()].map((site) => ({ site, round })));
  const isInUse = ({ round }: RoundView): boolean => round >= newest.oldestBase;
  return {
    updates: newest.updates,
    buffered: sites.filter(({ site, round }) => site.state === "answered" && isInUse(round) && !counted.has(`${round.round} ${site.site}`))
      .length,
    atWork: sites
      .flatMap(({ site, round }) => (site.state === "working" || site.state === "gone" ? [{ site: site.site, round }] : []))
      .toSorted((a, b) => (a.site < b.site ? -1 : 1)),
  };
}

/** The rounds before the newest whose models sites are at work on, the oldest first, each with those sites alone. */
export function olderAtWork({ rounds }: Pick<WorkflowView, "rounds">): readonly RoundView[] {
  const { atWork = [] } = bufferedWork({ rounds }) ?? {};
  return rounds.slice(0, -1).flatMap((round) => {
    const sites = new Map([...round.sites].filter(([name]) => atWork.some((one) => one.round === round && one.site === name)));
    return sites.size === 0 ? [] : [{ ...round, sites }];
  });
}

/** What a round's model was made of, in words: each site, and how many models were made since the one that it began with. */
export function madeOfText({ round, madeOf }: Pick<RoundView, "round" | "madeOf">): string {
  return madeOf
    .map(({ site, round: base }) => {
      const age = round - base;
      return age === 0 ? site : `${site} (${age} ${age === 1 ? "model" : "models"} behind)`;
    })
    .join(", ");
}
