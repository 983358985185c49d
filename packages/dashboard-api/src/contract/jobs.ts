import { z } from "zod";
import { defineRoute } from "./define-route.js";
import { lineSchema, timeMsSchema } from "./schemas.js";

/** Most bytes of a job's archive. */
export const maxJobArchiveBytes = 64 * 1024 * 1024;

/** Statuses of a job; the names are FLARE's. */
export const jobStatuses = [
  "SUBMITTED",
  "DISPATCHED",
  "RUNNING",
  "FINISHED:COMPLETED",
  "FINISHED:ABORTED",
  "FINISHED:EXECUTION_EXCEPTION",
  "FINISHED:ABNORMAL",
  "FINISHED:CAN_NOT_SCHEDULE",
  "FINISHED:FAILED_TO_RUN",
] as const;

/** What a person may do with a job. */
export const jobActions = ["abort", "clone", "delete", "download"] as const;

/** How far a site is with its task, as it last said. */
export const siteProgressSchema = z.object({
  /** `waiting`, `downloading`, `training`, `uploading`. */
  phase: z.string(),
  /** What it waits for, or what moved last. */
  reason: z.string().optional(),
  done: z.number(),
  /** 0 where the site does not know. */
  total: z.number(),
  atMs: timeMsSchema,
});

/** A job, as the server knows it. */
export const jobSchema = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  /** E-mail address of the person who submitted it, or the name in the certificate of a console. */
  submitter: z.string(),
  organization: z.string(),
  submittedAtMs: timeMsSchema,
  startedAtMs: timeMsSchema.nullable(),
  endedAtMs: timeMsSchema.nullable(),
  /** Why it ended as it did, or why it waits. */
  reason: z.string(),
  sites: z.array(z.string()),
  /** By site, while it runs. */
  progress: z.record(z.string(), siteProgressSchema),
});

/** A job, as the server knows it. */
export type Job = z.infer<typeof jobSchema>;

/** A job with what the person who asks may do with it now. */
export const ownJobSchema = jobSchema.extend({ may: z.array(z.enum(jobActions)) });

/** A job with what the person who asks may do with it now. */
export type OwnJob = z.infer<typeof ownJobSchema>;

/** One entry of a job's journal. */
export const journalEntrySchema = z.object({
  /** 1, 2, 3 … within the job. */
  seq: z.int(),
  atMs: timeMsSchema,
  /** What happened, by `type`; a newer server may know kinds that an older page does not. */
  event: z.looseObject({ type: z.string() }),
});

/** One entry of a job's journal. */
export type JobJournalEntry = z.infer<typeof journalEntrySchema>;

/** A value that a training script tracked. */
export const metricPointSchema = z.object({
  /** 1, 2, 3 … within the job. */
  seq: z.int(),
  atMs: timeMsSchema,
  site: z.string(),
  key: z.string(),
  value: z.number(),
  round: z.int().nullable(),
  /** The script's own count, where it gives one. */
  step: z.number().nullable(),
});

/** A value that a training script tracked. */
export type MetricPoint = z.infer<typeof metricPointSchema>;

/** A line of a job's log at a site. */
export const logLineSchema = z.object({
  /** 1, 2, 3 … within the job. */
  seq: z.int(),
  atMs: timeMsSchema,
  site: z.string(),
  /** `trainer`: what the training script printed. `job`: what FLARE-TS says of the job at that site. */
  source: z.enum(["trainer", "job"]),
  text: z.string(),
});

/** A line of a job's log at a site. */
export type JobLogLine = z.infer<typeof logLineSchema>;

const objectSchema = z.object({ hash: z.string(), size: z.int() });

/** What the server stands for in a round: signed, and chained to the receipt before. */
const roundReceiptSchema = z.object({
  number: z.int(),
  /** Whether signature and chain are good. */
  isGood: z.boolean(),
  /** Why not; empty when they are. */
  why: z.string(),
  /** What it says; `null` when it is not good. */
  receipt: z
    .object({
      round: z.int(),
      closedAtMs: timeMsSchema,
      base: objectSchema,
      model: objectSchema,
      contributions: z.array(
        z.object({ site: z.string(), update: objectSchema, paramsType: z.enum(["FULL", "DIFF"]), weight: z.number() }),
      ),
      missing: z.array(z.string()),
      strategy: z.string(),
      engine: z.string(),
      server: z.string(),
    })
    .nullable(),
});

/** What the server stands for in a round: signed, and chained to the receipt before. */
export type JobRoundReceipt = z.infer<typeof roundReceiptSchema>;

/** A job that comes with the dashboard. */
export const jobTemplateSchema = z.object({
  id: z.string(),
  name: z.string(),
  title: z.string(),
  description: z.string(),
  /** What sites need for it, in words; empty when nothing. */
  needs: z.string(),
  /** `null` where the job has no number of them to choose. */
  rounds: z.int().nullable(),
  minSites: z.int(),
});

/** A job that comes with the dashboard. */
export type JobTemplate = z.infer<typeof jobTemplateSchema>;

const everybody = ["project_admin", "org_admin", "lead", "member"] as const;
// Who may at all, by FLARE's default policy; with whose jobs, the policy itself says.
const submitters = ["project_admin", "lead"] as const;
const owners = ["project_admin", "org_admin", "lead"] as const;

/** A number, the bins of a histogram (from, to, how many), or quantiles by their shares. */
export type StatisticValue = number | (readonly [number, number, number])[] | Readonly<Record<string, number>>;

const statisticValueSchema: z.ZodType<StatisticValue> = z.union([
  z.number(),
  z.array(z.tuple([z.number(), z.number(), z.number()])),
  z.record(z.string(), z.number()),
]);

const statisticsGroupSchema = z.object({
  /** Names from the first level down to it; empty for all sites. A job without levels has its sites in the first one. */
  names: z.array(z.string()),
  /** The level that it is of, where the job has levels. */
  level: z.string().nullable(),
  isSite: z.boolean(),
  /** By statistic, data set and feature; what is not known is not there. */
  statistics: z.record(z.string(), z.record(z.string(), z.record(z.string(), statisticValueSchema))),
});

/** Sites whose statistics were taken together, or one of them. */
export type StatisticsGroup = z.output<typeof statisticsGroupSchema>;

/** What came of a workflow of statistics: of all sites first, then of each group before what is in it. */
export const jobStatisticsSchema = z.object({
  /** Where a download has it, in FLARE's form. */
  path: z.string(),
  groups: z.array(statisticsGroupSchema),
});

/** What came of a workflow of statistics. */
export type JobStatistics = z.output<typeof jobStatisticsSchema>;

/** `{ id }` of a job. */
const jobParams = z.strictObject({ id: z.uuid("must be the id of a job (UUID)") });

const afterQuery = {
  /** Only what comes after this number. */
  after: z.coerce.number<number>().int().nonnegative().max(Number.MAX_SAFE_INTEGER).optional(),
  limit: z.coerce.number<number>().int().min(1).max(10_000).optional(),
};

export const listJobs = defineRoute({
  id: "jobs.list",
  method: "GET",
  path: "/jobs",
  summary: "Lists jobs, the newest first",
  access: everybody,
  query: z.strictObject({
    status: z.enum(jobStatuses).optional(),
    /** First part of a name. */
    name: z.string().max(200).optional(),
    /** Only one's own. */
    mine: z.enum(["true", "false"]).optional(),
    limit: z.coerce.number<number>().int().min(1).max(1000).optional(),
  }),
  response: z.object({
    jobs: z.array(ownJobSchema),
    /** Whether the person who asks may submit jobs at all. */
    maySubmit: z.boolean(),
  }),
});

export const uploadJob = defineRoute({
  id: "jobs.upload",
  method: "POST",
  path: "/jobs",
  summary: "Submits a job from the zip archive of its folder",
  access: submitters,
  body: { mediaType: "application/zip", maxBytes: maxJobArchiveBytes },
  response: ownJobSchema,
  status: 201,
});

export const submitJobTemplate = defineRoute({
  id: "jobs.submitTemplate",
  method: "POST",
  path: "/jobs/from-template",
  summary: "Submits a job that comes with the dashboard",
  access: submitters,
  body: z.strictObject({
    template: z.string("must be the id of a template").max(63),
    /** @default the template's */
    name: lineSchema.optional(),
    rounds: z.int("must be a whole number").min(1, "must be 1 or more").max(10_000).optional(),
    minSites: z.int("must be a whole number").min(1, "must be 1 or more").max(4096).optional(),
  }),
  response: ownJobSchema,
  status: 201,
});

export const listJobTemplates = defineRoute({
  id: "jobs.templates",
  method: "GET",
  path: "/job-templates",
  summary: "Lists the jobs that come with the dashboard",
  access: everybody,
  response: z.object({ templates: z.array(jobTemplateSchema) }),
});

export const getJob = defineRoute({
  id: "jobs.get",
  method: "GET",
  path: "/jobs/:id",
  summary: "Shows a job",
  access: everybody,
  params: jobParams,
  response: ownJobSchema,
});

export const abortJob = defineRoute({
  id: "jobs.abort",
  method: "POST",
  path: "/jobs/:id/abort",
  summary: "Ends a job; one that is over stays as it is",
  access: owners,
  params: jobParams,
  body: z.strictObject({ reason: z.string().trim().max(400).default("") }),
  response: ownJobSchema,
});

export const cloneJob = defineRoute({
  id: "jobs.clone",
  method: "POST",
  path: "/jobs/:id/clone",
  summary: "Submits a job once more, as it was signed",
  access: submitters,
  params: jobParams,
  response: ownJobSchema,
  status: 201,
});

export const deleteJob = defineRoute({
  id: "jobs.delete",
  method: "DELETE",
  path: "/jobs/:id",
  summary: "Deletes a job that is over, with its result, journal and logs",
  access: owners,
  params: jobParams,
  response: "nothing",
});

export const downloadJobResult = defineRoute({
  id: "jobs.result",
  method: "GET",
  path: "/jobs/:id/result",
  summary: "Gives the models of a job that is over, as a zip archive",
  access: owners,
  params: jobParams,
  response: { mediaType: "application/zip" },
});

export const listJobEvents = defineRoute({
  id: "jobs.events",
  method: "GET",
  path: "/jobs/:id/events",
  summary: "Gives the journal of a job",
  access: everybody,
  params: jobParams,
  query: z.strictObject(afterQuery),
  response: z.object({ entries: z.array(journalEntrySchema), hasMore: z.boolean() }),
});

export const listJobMetrics = defineRoute({
  id: "jobs.metrics",
  method: "GET",
  path: "/jobs/:id/metrics",
  summary: "Gives what training scripts tracked while a job ran; metrics of rounds are in its journal",
  access: everybody,
  params: jobParams,
  query: z.strictObject(afterQuery),
  response: z.object({ points: z.array(metricPointSchema), hasMore: z.boolean(), isCut: z.boolean() }),
});

export const listJobLogs = defineRoute({
  id: "jobs.logs",
  method: "GET",
  path: "/jobs/:id/logs",
  summary: "Gives the log lines of sites that let their logs be read",
  access: owners,
  params: jobParams,
  query: z.strictObject({ ...afterQuery, site: z.string().max(63).optional() }),
  response: z.object({
    lines: z.array(logLineSchema),
    hasMore: z.boolean(),
    /** Whether older lines, or some of a site that said too much, are gone. */
    isCut: z.boolean(),
    /** Sites of the job that let their logs be read. */
    sites: z.array(z.string()),
  }),
});

export const listJobReceipts = defineRoute({
  id: "jobs.receipts",
  method: "GET",
  path: "/jobs/:id/receipts",
  summary: "Gives the receipts of a job's rounds, checked",
  access: everybody,
  params: jobParams,
  response: z.object({ receipts: z.array(roundReceiptSchema) }),
});

export const getJobStatistics = defineRoute({
  id: "jobs.statistics",
  method: "GET",
  path: "/jobs/:id/statistics",
  summary: "Gives what came of the statistics that a job asked for, once it is over",
  access: owners,
  params: jobParams,
  response: z.object({ statistics: z.array(jobStatisticsSchema) }),
});

/** Routes of jobs. */
export const jobRoutes = [
  listJobs,
  uploadJob,
  submitJobTemplate,
  listJobTemplates,
  getJob,
  abortJob,
  cloneJob,
  deleteJob,
  downloadJobResult,
  listJobEvents,
  listJobMetrics,
  listJobLogs,
  listJobReceipts,
  getJobStatistics,
] as const;
