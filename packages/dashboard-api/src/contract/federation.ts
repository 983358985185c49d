import { z } from "zod";
import { defineRoute } from "./define-route.js";
import { jobSchema, journalEntrySchema, logLineSchema, metricPointSchema } from "./jobs.js";
import { timeMsSchema } from "./schemas.js";

/** Whether the dashboard reaches the project's server. */
export const linkStateSchema = z.object({
  isConnected: z.boolean(),
  sinceMs: timeMsSchema,
  /** Why not, and what to do; empty while it does. */
  reason: z.string(),
});

/** Whether the dashboard reaches the project's server. */
export type LinkState = z.infer<typeof linkStateSchema>;

/** A site at work, as the server sees it. */
export const workingSiteSchema = z.object({
  name: z.string(),
  organization: z.string(),
  state: z.enum(["connected", "disconnected", "disabled"]),
  sinceMs: timeMsSchema,
  /** Why it is disconnected. */
  reason: z.string(),
  /** The relay that it comes by: of several in a row the one next to the server; `null` where it connects to the server itself. */
  relay: z.string().nullable(),
  softwareVersion: z.string(),
  /** As its kit says; `null` for a site that does not tell. */
  resources: z.object({ gpus: z.int(), memPerGpuGiB: z.number() }).nullable(),
  certificateEndsAtMs: timeMsSchema.nullable(),
  allowsLogStreaming: z.boolean(),
  /** Scopes of its privacy policy that a job may name, and that of jobs that name none; `null` for a site without a policy. */
  privacy: z.object({ scopes: z.array(z.string()), defaultScope: z.string().nullable() }).nullable(),
  /** Of models and updates, since the server started: from the site to the server, and back. */
  receivedBytes: z.number(),
  sentBytes: z.number(),
  /** Bandwidth of the last large transfer, in bytes per second. */
  receivedBytesPerSecond: z.number().nullable(),
  sentBytesPerSecond: z.number().nullable(),
  lastError: z
    .object({ atMs: timeMsSchema, code: z.string(), message: z.string(), todo: z.string(), jobId: z.string().nullable() })
    .nullable(),
  /** Ids of the jobs that run there. */
  jobs: z.array(z.string()),
});

/** A site at work, as the server sees it. */
export type WorkingSite = z.infer<typeof workingSiteSchema>;

/** The federation as it is now. */
export const federationSchema = z.object({
  link: linkStateSchema,
  /** `null` as long as the server was never reached. */
  server: z
    .object({
      name: z.string(),
      project: z.string(),
      startedAtMs: timeMsSchema,
      softwareVersion: z.string(),
      receivedBytes: z.number(),
      sentBytes: z.number(),
    })
    .nullable(),
  /** Sites that the server has seen since it started. */
  sites: z.array(workingSiteSchema),
  /** The newest jobs, the newest first; all that are not over are among them. */
  jobs: z.array(jobSchema),
  atMs: timeMsSchema,
});

/** The federation as it is now. */
export type Federation = z.infer<typeof federationSchema>;

const everybody = ["project_admin", "org_admin", "lead", "member"] as const;

export const getFederation = defineRoute({
  id: "federation.get",
  method: "GET",
  path: "/federation",
  summary: "Shows the federation as it is now",
  access: everybody,
  response: federationSchema,
});

export const streamEvents = defineRoute({
  id: "federation.events",
  method: "GET",
  path: "/events",
  summary: "Streams what changes, as server-sent events; begins with a snapshot, or where Last-Event-ID left off",
  access: everybody,
  query: z.strictObject({
    /** Job whose journal, metrics and log lines come too. @default those of all jobs that run, without log lines */
    job: z.uuid().optional(),
    /** As `Last-Event-ID`, for clients that cannot send a header. */
    after: z.string().max(100).optional(),
  }),
  response: { mediaType: "text/event-stream" },
});

/** What each type of server-sent event carries. Besides these, `heartbeat` comes at least every 15 seconds, with `{ atMs }`. */
export const liveEventSchemas = {
  /** Everything anew; what a page knew before is to be forgotten. */
  snapshot: federationSchema,
  link: linkStateSchema,
  /** Sites that changed. */
  sites: z.object({ sites: z.array(workingSiteSchema) }),
  /** Jobs that changed or are new, and ids of those that were deleted. */
  jobs: z.object({ jobs: z.array(jobSchema), removed: z.array(z.string()) }),
  "job-events": z.object({ jobId: z.string(), entries: z.array(journalEntrySchema) }),
  metrics: z.object({ jobId: z.string(), points: z.array(metricPointSchema) }),
  logs: z.object({ jobId: z.string(), lines: z.array(logLineSchema) }),
  /** Lists of the dashboard that changed: fetch them again. */
  people: z.object({ changed: z.array(z.string()) }),
} as const;

/** Types of server-sent events. */
export type LiveEventType = keyof typeof liveEventSchemas;

/** What a type of server-sent event carries. */
export type LiveEvent<T extends LiveEventType> = z.infer<(typeof liveEventSchemas)[T]>;

/** Routes of the federation at work. */
export const federationRoutes = [getFederation, streamEvents] as const;
