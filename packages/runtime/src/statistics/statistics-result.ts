import type { StatisticName, StatisticsSettings } from "@flare-ts/contracts/job";
import { featureGroups, type SiteAnswers, type StatisticValue, valueOf } from "./feature-groups.js";
import { inner, plain } from "./nested-maps.js";
import type { FeatureStatistics } from "./site-statistics.js";

/** FLARE's form: by feature, statistic, site or `Global`, and data set. What is not known is not there. */
export type StatisticsResult = Readonly<
  Record<string, Readonly<Partial<Record<StatisticName, Readonly<Record<string, Readonly<Record<string, StatisticValue>>>>>>>>
>;

/** FLARE's name for what all sites come to together. */
const globalName = "Global";

/** What comes of the answers of sites: of each, and of all together. `featureGroups` says what `asked` is. */
export function statisticsResult(
  settings: StatisticsSettings,
  answers: readonly SiteAnswers[],
  asked: readonly (readonly FeatureStatistics[])[],
): StatisticsResult {
  const result = new Map<string, Map<StatisticName, Map<string, Map<string, StatisticValue>>>>();
  for (const { dataset, feature, sites, together } of featureGroups(settings, answers, asked)) {
    const said = [...sites, { site: globalName, found: together(sites) }];
    for (const statistic of settings.statistics) {
      for (const { site, found } of said) {
        const value = valueOf(found, statistic, settings);
        if (value !== undefined) inner(inner(inner(result, feature), statistic), site).set(dataset, value);
      }
    }
  }
  return plain(result) as StatisticsResult;
}
