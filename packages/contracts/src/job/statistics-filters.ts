import { z } from "zod";
import type { ComponentClass } from "./component.js";

/** What is done to statistics before they leave: by a site's own policy, or by a job's configuration. */
export type StatisticsFilter =
  /** Nothing of a feature leaves of which fewer values count. */
  | { readonly kind: "MinCountCleanser"; readonly minCount: number }
  /** The least and the largest value are moved outwards, by a share of themselves that is drawn between two bounds. */
  | { readonly kind: "AddNoiseToMinMax"; readonly minNoiseLevel: number; readonly maxNoiseLevel: number }
  /** No histogram leaves that has as many bins as this share of the values, or more. */
  | { readonly kind: "HistogramBinsCleanser"; readonly maxBinsPercent: number };

/** FLARE's filter that names cleansers among the components of its document. */
export interface CleanserReference {
  readonly kind: "StatisticsPrivacyFilter";
  readonly cleanserIds: readonly string[];
}

const share = z.number().min(0).max(1);

/** FLARE's cleansers, by the names that documents may use. */
export const statisticsFilterClasses: readonly ComponentClass<StatisticsFilter>[] = [
  classOf("MinCountCleanser", z.strictObject({ min_count: z.number().min(0).max(1e9) }), ({ min_count: minCount }) => ({
    kind: "MinCountCleanser",
    minCount,
  })),
  classOf(
    "AddNoiseToMinMax",
    z.strictObject({ min_noise_level: share, max_noise_level: share }).refine((args) => args.min_noise_level <= args.max_noise_level, {
      path: ["max_noise_level"],
      message: "must not be below min_noise_level",
    }),
    (args) => ({ kind: "AddNoiseToMinMax", minNoiseLevel: args.min_noise_level, maxNoiseLevel: args.max_noise_level }),
  ),
  classOf("HistogramBinsCleanser", z.strictObject({ max_bins_percent: z.number().min(0).max(100) }), (args) => ({
    kind: "HistogramBinsCleanser",
    maxBinsPercent: args.max_bins_percent,
  })),
];

/** FLARE's filter around them. */
export const statisticsPrivacyFilterClass: ComponentClass<CleanserReference> = {
  name: "StatisticsPrivacyFilter",
  args: z
    .strictObject({ result_cleanser_ids: z.array(z.string().min(1)).min(1, "needs the id of a cleanser") })
    .transform(({ result_cleanser_ids: cleanserIds }) => ({ kind: "StatisticsPrivacyFilter" as const, cleanserIds })),
  argNames: ["result_cleanser_ids"],
  refusedArgs: {},
};

/** A component of a document that is a cleanser. */
export interface NamedCleanser {
  readonly id: string;
  readonly filter: StatisticsFilter;
}

/** Puts cleansers where they are named; names that no cleanser has are left out, and were complained of by then. */
export function withCleansers<Filter extends { readonly kind: string }>(
  filters: readonly Filter[],
  cleansers: readonly NamedCleanser[],
): readonly (Exclude<Filter, CleanserReference> | StatisticsFilter)[] {
  return filters.flatMap((filter): (Exclude<Filter, CleanserReference> | StatisticsFilter)[] => {
    if (!isReference(filter)) return [filter as Exclude<Filter, CleanserReference>];
    return filter.cleanserIds.flatMap((id) => cleansers.find((one) => one.id === id)?.filter ?? []);
  });
}

/** Places in a list of filters that name a cleanser which is not there. */
export function missingCleansers(
  filters: readonly { readonly kind: string }[],
  cleansers: readonly NamedCleanser[],
): readonly { readonly index: number; readonly id: string }[] {
  return filters.flatMap((filter, index) =>
    isReference(filter) ? filter.cleanserIds.flatMap((id) => (cleansers.some((one) => one.id === id) ? [] : [{ index, id }])) : [],
  );
}

function isReference(filter: { readonly kind: string }): filter is CleanserReference {
  return filter.kind === "StatisticsPrivacyFilter";
}

function classOf<Shape extends z.ZodRawShape>(
  name: StatisticsFilter["kind"],
  schema: z.ZodObject<Shape>,
  compile: (args: z.output<z.ZodObject<Shape>>) => StatisticsFilter,
): ComponentClass<StatisticsFilter> {
  return { name, args: schema.transform((args) => compile(args)), argNames: Object.keys(schema.shape), refusedArgs: {} };
}
