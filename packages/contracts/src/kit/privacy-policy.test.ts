import { describe, expect, it } from "vitest";
import { readDocument } from "../documents/read-document.js";
import type { FlareError } from "../errors/flare-error.js";
import { type PrivacyFilter, type PrivacyPolicy, privacyPolicySchema } from "./privacy-policy.js";

const read = (document: unknown): PrivacyPolicy =>
  readDocument({
    text: JSON.stringify(document, undefined, 2),
    file: "privacy.json",
    schema: privacyPolicySchema,
    code: "kit/local-invalid",
  }).value;
const filters = (...given: unknown[]): readonly PrivacyFilter[] | undefined =>
  read({ scopes: [{ name: "private", task_result_filters: given }] }).scopes[0]?.resultFilters;

function problemsOf(document: unknown): string {
  try {
    read(document);
  } catch (error) {
    const { problems } = error as FlareError;
    return problems.map(({ file, line, message }) => `${file}:${line} ${message}`).join("\n");
  }
  return "";
}
const problems = (...given: unknown[]): string => problemsOf({ scopes: [{ name: "private", task_result_filters: given }] });

describe("local/privacy.json", () => {
  it("has scopes with filters, by FLARE's names and by its dotted paths, with FLARE's defaults", () => {
    expect(
      filters(
        { path: "nvflare.app_common.filters.percentile_privacy.PercentilePrivacy" },
        { name: "PercentilePrivacy", args: { percentile: 25, gamma: 0.5 }, direction: "out" },
        { path: "nvflare.app_common.filters.exclude_vars.ExcludeVars", args: { exclude_vars: ["head", "tail"] } },
      ),
    ).toEqual([
      { kind: "PercentilePrivacy", percentile: 10, gamma: 0.01 },
      { kind: "PercentilePrivacy", percentile: 25, gamma: 0.5 },
      { kind: "ExcludeVars", names: ["head", "tail"] },
    ]);
  });

  it("has filters of our own", () => {
    expect(
      filters(
        { name: "AllowMetrics", args: { metrics: ["loss"] } },
        { name: "FixedWeight" },
        { name: "ClipNorm", args: { max_norm: 2 } },
        { name: "GaussianPrivacy", args: { clip_norm: 1, noise_multiplier: 2, epsilon_budget: 8 } },
      ),
    ).toEqual([
      { kind: "AllowMetrics", metrics: ["loss"] },
      { kind: "FixedWeight", weight: 1 },
      { kind: "ClipNorm", maxNorm: 2 },
      { kind: "GaussianPrivacy", clipNorm: 1, noiseMultiplier: 2, delta: 1e-5, epsilonBudget: 8 },
    ]);
  });

  it("has the sparse vector technique, with FLARE's defaults and an account of its own", () => {
    const defaults = {
      kind: "SVTPrivacy",
      fraction: 0.1,
      epsilon: 0.1,
      noiseVar: 0.1,
      gamma: 1e-5,
      tau: 1e-6,
      replace: true,
      delta: 1e-5,
    };
    expect(filters({ path: "nvflare.app_common.filters.svt_privacy.SVTPrivacy" })).toEqual([defaults]);
    // As FLARE's sample has it, and as its exporters write arguments that are not set.
    const noise = { name: "AddNoiseToMinMax", args: { min_noise_level: 0.1, max_noise_level: 0.1 } };
    const written = { fraction: 0.1, epsilon: 0.2, data_kinds: null, epsilon_threshold: null };
    expect(filters(noise, { name: "SVTPrivacy", args: written })?.[1]).toEqual({ ...defaults, epsilon: 0.2 });
    const all = {
      fraction: 1,
      epsilon: 1,
      noise_var: 0,
      gamma: 0.5,
      tau: -1,
      data_kinds: ["WEIGHT_DIFF", "WEIGHTS"],
      replace: false,
      epsilon_threshold: 0.25,
      epsilon_query: 0.75,
      epsilon_release: 3,
      delta: 1e-6,
      epsilon_budget: 8,
    };
    expect(filters({ name: "SVTPrivacy", args: all })).toEqual([
      {
        kind: "SVTPrivacy",
        fraction: 1,
        epsilon: 1,
        noiseVar: 0,
        gamma: 0.5,
        tau: -1,
        replace: false,
        epsilonThreshold: 0.25,
        epsilonQuery: 0.75,
        epsilonRelease: 3,
        delta: 1e-6,
        epsilonBudget: 8,
      },
    ]);
  });

  it("lets a site take part in intersections, with so many identifiers, and its sizes shown or not", () => {
    expect(filters({ name: "AllowPsi" })).toEqual([{ kind: "AllowPsi", maxItems: 10_000_000, showSizes: false }]);
    expect(filters({ name: "AllowPsi", args: { max_items: 100, show_sizes: true } })).toEqual([
      { kind: "AllowPsi", maxItems: 100, showSizes: true },
    ]);
    expect(problems({ name: "AllowPsi", args: { max_items: 0 } })).toMatch(/must be at least 1/);
    expect(problems({ name: "AllowPsi" }, { name: "AllowPsi" })).toMatch(/AllowPsi stands once in a scope/);
  });

  it("takes a text of ExcludeVars as a regular expression", () => {
    const [filter] = filters({ name: "ExcludeVars", args: { exclude_vars: "^fc\\." } }) ?? [];
    expect(filter?.kind === "ExcludeVars" && filter.names instanceof RegExp && filter.names.test("fc.weight")).toBe(true);
    expect(problems({ name: "ExcludeVars", args: { exclude_vars: "(" } })).toMatch(/is no regular expression/);
  });

  it("has a default scope, which is one of them", () => {
    const scopes = [{ name: "public" }, { name: "private" }];
    expect(read({ scopes, default_scope: "public" })).toEqual({
      scopes: [
        { name: "public", resultFilters: [] },
        { name: "private", resultFilters: [] },
      ],
      defaultScope: "public",
    });
    expect(read({ scopes }).defaultScope).toBeUndefined();
    expect(problemsOf({ scopes, default_scope: "privat" })).toMatch(/'privat' is none of the scopes; did you mean 'private'\?/);
    expect(problemsOf({ scopes: [{ name: "a" }, { name: "a" }] })).toMatch(/'a' is there already/);
    expect(problemsOf({ scopes: [] })).toMatch(/needs a scope/);
  });

  it("takes FLARE's cleansers of statistics, among the filters or among components that a StatisticsPrivacyFilter names", () => {
    const count = { kind: "MinCountCleanser", minCount: 10 };
    const bins = { kind: "HistogramBinsCleanser", maxBinsPercent: 10 };
    const noise = { kind: "AddNoiseToMinMax", minNoiseLevel: 0.1, maxNoiseLevel: 0.3 };
    const direct = [
      { name: "MinCountCleanser", args: { min_count: 10 } },
      { name: "AddNoiseToMinMax", args: { min_noise_level: 0.1, max_noise_level: 0.3 } },
    ];
    expect(read({ scopes: [{ name: "a", task_result_filters: direct }] }).scopes[0]?.resultFilters).toEqual([count, noise]);
    const components = [
      { id: "bins", path: "nvflare.app_common.statistics.histogram_bins_cleanser.HistogramBinsCleanser", args: { max_bins_percent: 10 } },
      { id: "count", path: "nvflare.app_common.statistics.min_count_cleanser.MinCountCleanser", args: { min_count: 10 } },
    ];
    const named = (ids: readonly string[]) => ({
      scopes: [
        {
          name: "a",
          task_result_filters: [
            {
              path: "nvflare.app_common.filters.statistics_privacy_filter.StatisticsPrivacyFilter",
              args: { result_cleanser_ids: ids },
            },
          ],
        },
      ],
      components,
    });
    expect(read(named(["count", "bins"])).scopes[0]?.resultFilters).toEqual([count, bins]);
    expect(problemsOf(named(["counts"]))).toMatch(/no component is a cleanser with the id 'counts'/);
    expect(problems({ name: "AddNoiseToMinMax", args: { min_noise_level: 0.3, max_noise_level: 0.1 } })).toMatch(/below min_noise_level/);
  });

  it.each<[string, unknown, RegExp]>([
    ["a filter that is not there", { name: "DXOBlocker" }, /'DXOBlocker' is not supported yet; supported: ExcludeVars, PercentilePrivacy/],
    [
      "an argument of SVTPrivacy with a slip in its name",
      { name: "SVTPrivacy", args: { epsilon_treshold: 0.01 } },
      /unknown argument 'epsilon_treshold' of SVTPrivacy; did you mean 'epsilon_threshold'/,
    ],
    ["no share of the values", { name: "SVTPrivacy", args: { fraction: 0 } }, /must be more than 0/],
    ["more than all values", { name: "SVTPrivacy", args: { fraction: 10 } }, /must be at most 1/],
    ["values without noise", { name: "SVTPrivacy", args: { noise_var: 0 } }, /must be more than 0 where there is no epsilon_release/],
    [
      "a part of epsilon that is all of it",
      { name: "SVTPrivacy", args: { epsilon_query: 0.1 } },
      /must be less than epsilon, which is 0\.1/,
    ],
    [
      "parts of epsilon that are not epsilon",
      { name: "SVTPrivacy", args: { epsilon: 1, epsilon_query: 0.5, epsilon_threshold: 0.4 } },
      /must come to epsilon, which is 1/,
    ],
    ["results that are not filtered here", { name: "SVTPrivacy", args: { data_kinds: ["METRICS"] } }, /must be a list with WEIGHT_DIFF/],
    ["a filter with a slip in its name", { name: "PercentilPrivacy" }, /did you mean 'PercentilePrivacy'/],
    [
      "an argument with a slip in its name",
      { name: "ClipNorm", args: { maxnorm: 1 } },
      /unknown argument 'maxnorm' of ClipNorm; did you mean 'max_norm'/,
    ],
    ["a filter of what comes in", { name: "ClipNorm", args: { max_norm: 1 }, direction: "in" }, /must be out/],
    ["neither path nor name", { args: {} }, /needs one of path and name/],
    ["a percentile beyond 100", { name: "PercentilePrivacy", args: { percentile: 101 } }, /must be at most 100/],
    ["no noise", { name: "GaussianPrivacy", args: { clip_norm: 1, noise_multiplier: 0 } }, /must be at least 0.001/],
  ])("refuses %s", (_, filter, message) => {
    expect(problems(filter)).toMatch(message);
    expect(problems(filter)).toMatch(/privacy\.json:\d+/);
  });

  it("refuses what would be a promise that nobody keeps", () => {
    expect(problemsOf({ scopes: [{ name: "a", task_data_filters: [{ name: "ExcludeVars" }] }] })).toMatch(/not filtered here/);
    expect(problemsOf({ scopes: [{ name: "a", properties: { folder: "/data" } }] })).toMatch(/datasets of local\/resources\.json/);
    expect(problemsOf({ scopes: [{ name: "a" }], components: [{ id: "x", path: "ours.Cleanser" }] })).toMatch(
      /component 'ours.Cleanser' is not supported yet; supported: MinCountCleanser/,
    );
    expect(problemsOf({ scopes: [{ name: "a", task_result_filter: [] }] })).toMatch(/task_result_filter/);
  });

  it("refuses two of a kind that stands once, and filters of values after the noise", () => {
    const noise = { name: "GaussianPrivacy", args: { clip_norm: 1, noise_multiplier: 1 } };
    expect(problems(noise, noise)).toMatch(/GaussianPrivacy stands once/);
    expect(problems(noise, { name: "ClipNorm", args: { max_norm: 1 } })).toMatch(/stands before GaussianPrivacy/);
    expect(problems({ name: "ClipNorm", args: { max_norm: 1 } }, noise)).toBe("");
    const sparse = { name: "SVTPrivacy" };
    expect(problems(sparse, sparse)).toMatch(/SVTPrivacy stands once/);
    expect(problems(sparse, noise)).toMatch(/GaussianPrivacy and SVTPrivacy stand in scopes of their own/);
    expect(problems(sparse, { name: "PercentilePrivacy" })).toBe("");
  });
});
