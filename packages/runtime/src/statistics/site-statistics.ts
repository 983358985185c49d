import { FlareError, limits } from "@flare-ts/contracts/errors";

/** Mean and weight of some of the values that lie next to each other; many of them tell where quantiles lie. */
export type Centroid = readonly [mean: number, weight: number];

/** Counts of equally wide bins from `low` to `high`. */
export interface BinCounts {
  readonly low: number;
  readonly high: number;
  readonly counts: readonly number[];
}

/** What a site says of one feature of one data set. */
export interface FeatureStatistics {
  readonly dataset: string;
  readonly feature: string;
  readonly count: number;
  readonly failureCount: number;
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
  readonly stddev?: number;
  /** The site's share of the variance of all: squared distances to the mean of all, by one less than their number. */
  readonly variance?: number;
  readonly histogram?: BinCounts;
  readonly digest?: readonly Centroid[];
}

/** What a site answers in one pass. */
export interface SiteStatistics {
  readonly pass: 1 | 2;
  readonly features: readonly FeatureStatistics[];
}

/** Version of the documents that sites and server exchange. */
export const statisticsVersion = 1;

/** Names of the numbers as they stand in a document. */
const plainNumbers = ["sum", "min", "max", "stddev"] as const;

/**
 * Reads what a site answers. Anything that statistics are not is refused: by this way nothing else leaves a site.
 *
 * @throws FlareError `client-api/result-invalid`
 */
export function parseSiteStatistics(document: unknown): SiteStatistics {
  const { version, pass, features } = fieldsOf(document, ["version", "pass", "features"], "the statistics");
  if (version !== statisticsVersion) throw invalid(`The statistics are of version ${String(version)}, not ${statisticsVersion}.`);
  if (pass !== 1 && pass !== 2) throw invalid("The statistics are of no pass: it is 1 or 2.");
  if (!Array.isArray(features)) throw invalid("The features of the statistics are no list.");
  if (features.length > limits.statisticsFeatures)
    throw invalid(`Statistics of ${features.length} features are beyond the limit of ${limits.statisticsFeatures}.`);
  const parsed = features.map(parseFeature);
  const names = new Set(parsed.map(({ dataset, feature }) => JSON.stringify([dataset, feature])));
  if (names.size < parsed.length) throw invalid("The statistics have a feature twice.");
  return { pass, features: parsed };
}

/** What `parseSiteStatistics` reads. */
export function siteStatisticsDocument({ pass, features }: SiteStatistics): unknown {
  return {
    version: statisticsVersion,
    pass,
    features: features.map(({ failureCount: failure_count, variance, ...rest }) => ({ ...rest, failure_count, var: variance })),
  };
}

function parseFeature(written: unknown): FeatureStatistics {
  const known = ["dataset", "feature", "count", "failure_count", "var", "histogram", "digest", ...plainNumbers];
  const fields = fieldsOf(written, known, "a feature");
  const { dataset, feature, histogram, digest } = fields;
  const numbers = plainNumbers.flatMap((name) => (fields[name] === undefined ? [] : [[name, numberOf(fields[name], name)] as const]));
  return {
    dataset: nameOf(dataset, "data set"),
    feature: nameOf(feature, "feature"),
    count: countOf(fields["count"], "count"),
    failureCount: countOf(fields["failure_count"] ?? 0, "failure_count"),
    ...Object.fromEntries(numbers),
    ...(fields["var"] === undefined ? {} : { variance: countOf(fields["var"], "var") }),
    ...(histogram === undefined ? {} : { histogram: histogramOf(histogram) }),
    ...(digest === undefined ? {} : { digest: digestOf(digest) }),
  };
}

function histogramOf(written: unknown): BinCounts {
  const { low, high, counts } = fieldsOf(written, ["low", "high", "counts"], "a histogram");
  if (!Array.isArray(counts) || counts.length === 0 || counts.length > limits.statisticsBins)
    throw invalid(`A histogram has no list of 1 to ${limits.statisticsBins} counts.`);
  return {
    low: numberOf(low, "low"),
    high: numberOf(high, "high"),
    counts: counts.map((count) => countOf(count, "the count of a bin")),
  };
}

function digestOf(written: unknown): readonly Centroid[] {
  if (!Array.isArray(written) || written.length > limits.statisticsBins)
    throw invalid(`A digest is no list of at most ${limits.statisticsBins} centroids.`);
  return written.map((centroid: unknown): Centroid => {
    if (!Array.isArray(centroid) || centroid.length !== 2) throw invalid("A centroid is no mean and weight.");
    return [numberOf(centroid[0], "the mean of a centroid"), countOf(centroid[1], "the weight of a centroid")];
  });
}

function fieldsOf(written: unknown, known: readonly string[], what: string): Readonly<Record<string, unknown>> {
  if (typeof written !== "object" || written === null || Array.isArray(written)) throw invalid(`What stands for ${what} has no fields.`);
  const stranger = Object.keys(written).find((name) => !known.includes(name));
  if (stranger !== undefined) throw invalid(`'${stranger.slice(0, 50)}' belongs to no statistics.`);
  return written as Readonly<Record<string, unknown>>;
}

function nameOf(written: unknown, what: string): string {
  if (typeof written === "string" && written !== "" && written.length <= mostNameChars) return written;
  throw invalid(`The name of a ${what} is no text of 1 to ${mostNameChars} characters.`);
}

function numberOf(written: unknown, what: string): number {
  if (typeof written === "number" && Number.isFinite(written)) return written;
  throw invalid(`${what} is no finite number.`);
}

function countOf(written: unknown, what: string): number {
  const count = numberOf(written, what);
  if (count < 0) throw invalid(`${what} is below zero.`);
  return count;
}

const mostNameChars = 256;

function invalid(message: string): FlareError {
  return new FlareError("client-api/result-invalid", message);
}
