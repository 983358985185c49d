import { z } from "zod";
import { nearestWord } from "../errors/nearest-word.js";
import type { ComponentClass } from "./component.js";
import { jobPathSchema } from "./job-path.js";
import { seconds } from "./seconds.js";
import type { SiteHierarchy } from "./site-hierarchy.js";
import { milliseconds, type WorkflowJob } from "./workflow-job.js";

/** Statistics that a job may ask for, in the order in which they are shown. */
export const statisticNames = ["count", "failure_count", "sum", "mean", "min", "max", "var", "stddev", "histogram", "quantile"] as const;

export type StatisticName = (typeof statisticNames)[number];

/** Bins of a histogram, all of one width. */
export interface HistogramBins {
  readonly bins: number;
  /** From where to where; `undefined`: from the least value of all sites to the largest. */
  readonly range: readonly [low: number, high: number] | undefined;
}

/** Settings of federated statistics, complete. */
export interface StatisticsSettings {
  readonly kind: "Statistics";
  readonly taskName: string;
  readonly statistics: readonly StatisticName[];
  /** By feature; `*` stands for those that are not named. */
  readonly histogram: Readonly<Record<string, HistogramBins>>;
  /** Shares of the values that lie below, by feature in the same way. */
  readonly quantile: Readonly<Record<string, readonly number[]>>;
  /** Sites that must answer in both passes. */
  readonly minClients: number;
  /** Digits after the point in the result. */
  readonly precision: number;
  /** Whether a site's program is told beforehand what will be asked. */
  readonly isPreRun: boolean;
  /** Time for each pass; `undefined`: as long as sites move. */
  readonly timeoutMs: number | undefined;
  /** Where a download has the result. */
  readonly outputPath: string;
  /** Levels in which sites are rolled up; `undefined`: of all sites, and of each. */
  readonly hierarchy?: SiteHierarchy | undefined;
}

const histogramSchema = z.record(
  z.string().min(1),
  z.strictObject({
    bins: z.int().min(1).max(10_000),
    range: z
      .tuple([z.number(), z.number()])
      .refine(([low, high]) => low < high, "must be a lower and a higher number")
      .optional(),
  }),
);
const quantileSchema = z.record(
  z.string().min(1),
  z.array(z.number().min(0, "must be between 0 and 1").max(1, "must be between 0 and 1")).min(1),
);

const configsSchema = z
  .record(z.string(), z.unknown())
  .superRefine((configs, context) => {
    for (const name of Object.keys(configs)) {
      if (statisticNames.some((known) => known === name)) continue;
      const near = nearestWord(name, statisticNames);
      const message =
        near === undefined ? `unknown statistic; there are ${statisticNames.join(", ")}` : `unknown statistic; did you mean '${near}'?`;
      context.addIssue({ code: "custom", path: [name], message });
    }
    if (Object.keys(configs).length === 0) context.addIssue({ code: "custom", message: "asks for no statistic" });
  })
  .pipe(
    z.looseObject({
      ...Object.fromEntries(
        statisticNames.filter((name) => name !== "histogram" && name !== "quantile").map((name) => [name, z.strictObject({}).optional()]),
      ),
      histogram: histogramSchema.optional(),
      quantile: quantileSchema.optional(),
    }),
  )
  .transform((configs) => ({
    statistics: statisticNames.filter((name) => Object.hasOwn(configs, name)),
    histogram: configs.histogram ?? {},
    quantile: configs.quantile ?? {},
  }));

const argsSchema = z.strictObject({
  statistic_configs: configsSchema,
  writer_id: z.string().min(1).optional(),
  min_clients: z.int().min(1).optional(),
  precision: z.int().min(0).max(15).default(4),
  enable_pre_run_task: z.boolean().default(true),
  timeout: seconds.optional(),
});

const hierarchicalArgsSchema = argsSchema.extend({ hierarchy_config: jobPathSchema });

/** Arguments of federated statistics as a job writes them. */
export type StatisticsArgs = z.output<typeof argsSchema> & {
  readonly kind: StatisticsSettings["kind"];
  /** File in the folder `config` of the app that has sites in levels. */
  readonly hierarchy_config?: string;
  /** It needs no model. */
  readonly initial_model?: undefined;
};

const noModel = { initial_model: "statistics need no model; remove it" };
const waiting = "has no effect here: each site that still can answer is waited for, or until 'timeout'";
const ignoredArgs = { wait_time_after_min_received: waiting, result_wait_timeout: waiting };

export const statisticsControllerClass: ComponentClass<StatisticsArgs> = {
  name: "StatisticsController",
  args: argsSchema.transform((args) => ({ kind: "Statistics" as const, ...args })),
  argNames: Object.keys(argsSchema.shape),
  refusedArgs: { ...noModel, hierarchy_config: "is an argument of HierarchicalStatisticsController; name that in 'path'" },
  ignoredArgs,
};

/** The same, with sites in levels, each of which is rolled up. */
export const hierarchicalStatisticsControllerClass: ComponentClass<StatisticsArgs> = {
  name: "HierarchicalStatisticsController",
  args: hierarchicalArgsSchema.transform((args) => ({ kind: "Statistics" as const, ...args })),
  argNames: Object.keys(hierarchicalArgsSchema.shape),
  refusedArgs: noModel,
  ignoredArgs,
};

/** FLARE's name of the task, which is that of both passes. */
export const statisticsTask = "fed_stats";

/** What a workflow of statistics has from elsewhere in the job. */
interface StatisticsParts {
  readonly id: string;
  readonly outputPath: string | undefined;
  readonly hierarchy: SiteHierarchy | undefined;
}

/**
 * Completes the arguments with what the job and its sites give.
 *
 * @param outputPath - what the writer of the workflow says; `undefined` where it has none
 * @param hierarchy - what the file says that the workflow names; `undefined` where it names none
 */
export function compileStatistics(
  args: StatisticsArgs,
  job: WorkflowJob,
  { id, outputPath, hierarchy }: StatisticsParts,
): StatisticsSettings {
  const { statistics, histogram, quantile } = args.statistic_configs;
  const bins = Object.entries(histogram).map(
    ([feature, { bins: count, range }]) => [feature, Object.freeze({ bins: count, range })] as const,
  );
  return Object.freeze({
    kind: "Statistics",
    taskName: statisticsTask,
    statistics: Object.freeze(statistics),
    histogram: Object.freeze(Object.fromEntries(bins)),
    quantile: Object.freeze({ ...quantile }),
    minClients: Math.min(args.min_clients ?? job.sites.length, job.sites.length),
    precision: args.precision,
    isPreRun: args.enable_pre_run_task,
    timeoutMs: milliseconds(args.timeout),
    outputPath: outputPath ?? defaultOutputPath(id),
    hierarchy,
  });
}

/** Where a download has the result of a workflow that names no writer. */
export function defaultOutputPath(id: string): string {
  return `statistics/${/^[A-Za-z0-9][A-Za-z0-9_-]{0,100}$/.test(id) ? id : "statistics"}.json`;
}
