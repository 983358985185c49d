import type { StatisticName } from "@flare-ts/contracts/job";
import type { StatisticValue } from "./feature-groups.js";
import type { GroupStatistics, HierarchicalStatistics, HierarchyMember } from "./hierarchical-result.js";
import { inner, plain } from "./nested-maps.js";
import type { StatisticsResult } from "./statistics-result.js";

/** Sites whose statistics were taken together, or one of them. */
export interface StatisticsGroup {
  /** Names from the first level down to it; empty for all sites. A result without levels has its sites in the first one. */
  readonly names: readonly string[];
  /** The level that it is of; `undefined` for all sites, and in a result without levels. */
  readonly level: string | undefined;
  readonly isSite: boolean;
  readonly statistics: GroupStatistics;
}

/** Whether a result has levels: only then some of it is a list. */
export function isHierarchical(result: StatisticsResult | HierarchicalStatistics): result is HierarchicalStatistics {
  return Object.values(result).some(Array.isArray);
}

/** A result of either form by whom it is of: all sites first, then each group before what is in it; without levels sites by their names. */
export function statisticsByGroup(result: StatisticsResult | HierarchicalStatistics): readonly StatisticsGroup[] {
  if (!isHierarchical(result)) return flatGroups(result);
  return [{ names: [], level: undefined, isSite: false, statistics: result.Global }, ...groupsBelow(result, [])];
}

function groupsBelow(above: HierarchicalStatistics | HierarchyMember, names: readonly string[]): readonly StatisticsGroup[] {
  return Object.entries(above).flatMap(([level, members]) =>
    !Array.isArray(members)
      ? []
      : (members as readonly HierarchyMember[]).flatMap((member): readonly StatisticsGroup[] => {
          const own = [...names, member.Name];
          if (isSite(member)) return [{ names: own, level, isSite: true, statistics: member.Local }];
          return [{ names: own, level, isSite: false, statistics: member.Global }, ...groupsBelow(member, own)];
        }),
  );
}

function isSite(member: HierarchyMember): member is Extract<HierarchyMember, { readonly Local: GroupStatistics }> {
  return Object.hasOwn(member, "Local");
}

function flatGroups(result: StatisticsResult): readonly StatisticsGroup[] {
  const groups = new Map<string, Map<string, Map<string, Map<string, StatisticValue>>>>([["Global", new Map()]]);
  for (const [feature, ofFeature] of Object.entries(result)) {
    for (const [statistic, ofStatistic] of Object.entries(ofFeature) as [
      StatisticName,
      Readonly<Record<string, Readonly<Record<string, StatisticValue>>>>,
    ][]) {
      for (const [who, values] of Object.entries(ofStatistic)) {
        for (const [dataset, value] of Object.entries(values)) inner(inner(inner(groups, who), statistic), dataset).set(feature, value);
      }
    }
  }
  const [all, ...sites] = [...groups].map(([who, statistics]): StatisticsGroup => {
    const isAll = who === "Global";
    return { names: isAll ? [] : [who], level: undefined, isSite: !isAll, statistics: plain(statistics) as GroupStatistics };
  });
  return all === undefined ? [] : [all, ...sites.toSorted((a, b) => ((a.names[0] ?? "") < (b.names[0] ?? "") ? -1 : 1))];
}
