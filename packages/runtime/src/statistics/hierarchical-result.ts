import { type HierarchyGroup, type SiteHierarchy, sitesOfHierarchy } from "@flare-ts/contracts";
import type { StatisticName, StatisticsSettings } from "@flare-ts/contracts/job";
import { type FeatureGroup, featureGroups, type SiteAnswers, type StatisticValue, valueOf } from "./feature-groups.js";
import { inner, plain } from "./nested-maps.js";
import type { FeatureStatistics } from "./site-statistics.js";

/** What some sites come to: by statistic, data set and feature. What is not known is not there. */
export type GroupStatistics = Readonly<Partial<Record<StatisticName, Readonly<Record<string, Readonly<Record<string, StatisticValue>>>>>>>;

/** A site of the hierarchy, or a group of it, whose further key is the level below. */
export type HierarchyMember =
  | { readonly Name: string; readonly Local: GroupStatistics }
  | ({ readonly Name: string; readonly Global: GroupStatistics } & Level);

/** FLARE's form: what all sites come to, and under the name of the first level the groups or sites of it. */
export type HierarchicalStatistics = { readonly Global: GroupStatistics } & Level;

/** A level under its name, which may be any. */
interface Level {
  readonly [level: string]: string | GroupStatistics | readonly HierarchyMember[];
}

/**
 * What comes of the answers of sites at each level of a hierarchy: every group is rolled up from the answers of its own sites, not from what
 * was rolled up below. A site in it that has not answered has no numbers. `featureGroups` says what `asked` is.
 */
export function hierarchicalResult(
  settings: StatisticsSettings,
  hierarchy: SiteHierarchy,
  answers: readonly SiteAnswers[],
  asked: readonly (readonly FeatureStatistics[])[],
): HierarchicalStatistics {
  const features = featureGroups(settings, answers, asked);
  const of = (sites: ReadonlySet<string>): GroupStatistics => groupStatistics(settings, features, sites);
  // A level is never called `Global`, `Local` or `Name`.
  return { Global: of(sitesIn(hierarchy)), [hierarchy.level]: hierarchy.members.map((member) => memberOf(member, of)) };
}

function memberOf(member: string | HierarchyGroup, of: (sites: ReadonlySet<string>) => GroupStatistics): HierarchyMember {
  if (typeof member === "string") return { Name: member, Local: of(new Set([member])) };
  const { name, level, members } = member;
  return { Name: name, [level]: members.map((one) => memberOf(one, of)), Global: of(sitesIn(member)) };
}

function groupStatistics(settings: StatisticsSettings, features: readonly FeatureGroup[], names: ReadonlySet<string>): GroupStatistics {
  const result = new Map<StatisticName, Map<string, Map<string, StatisticValue>>>();
  const known = features.flatMap(({ dataset, feature, sites, together }) => {
    const own = sites.filter(({ site }) => names.has(site));
    return own.length === 0 ? [] : [{ dataset, feature, all: together(own) }];
  });
  for (const statistic of settings.statistics) {
    for (const { dataset, feature, all } of known) {
      const value = valueOf(all, statistic, settings);
      if (value !== undefined) inner(inner(result, statistic), dataset).set(feature, value);
    }
  }
  return plain(result) as GroupStatistics;
}

function sitesIn(hierarchy: SiteHierarchy): ReadonlySet<string> {
  return new Set(sitesOfHierarchy(hierarchy).map(({ site }) => site));
}
