// What runs an app needs of its settings once they are compiled. It loads no schema: these are most of the memory of a small process.
export type { ClientAppSettings } from "./app-config.js";
export type { ClientApiExecutorSettings } from "./client-api-executor.js";
export { executorFor } from "./executor-for.js";
export { isNamedBy } from "./is-named-by.js";
export { isStatisticsFilter } from "./is-statistics-filter.js";
export type { PsiSettings } from "./psi.js";
export type { PsiItems } from "./psi-launch.js";
export type { ResultFilterSettings, UpdateFilterSettings } from "./result-filters.js";
export type { SecureAggregation } from "./secure-aggregation.js";
export type { HierarchyGroup, SiteHierarchy } from "./site-hierarchy.js";
export type { HistogramBins, StatisticName, StatisticsSettings } from "./statistics.js";
export type { StatisticsFilter } from "./statistics-filters.js";
export type { StatisticsGenerator } from "./statistics-generator.js";
export { type UpdateForm, updateForms } from "./update-forms.js";
