import {
  type Federation,
  getFederation,
  getJob,
  getJobStatistics,
  getSession,
  type Job,
  type LiveEvent,
  type LiveEventType,
  listJobReceipts,
  listJobs,
} from "@flare-ts/dashboard-api/contract";
import type { QueryClient } from "@tanstack/react-query";
import { keyOf } from "../api/use-api-query.js";
import { type SitePhases, trackPhases } from "../jobs/phase-track.js";
import { appendTo, type JobStream, jobStreamKey, keepEarly, phasesKey, phasesName } from "./job-streams.js";

/** The cached answer that says how the federation is. */
const federationKey = keyOf(getFederation, {});

/** Types of events, as the stream names them. */
export const liveEventTypes: readonly LiveEventType[] = ["snapshot", "link", "sites", "jobs", "job-events", "metrics", "logs", "people"];

/**
 * Puts what the stream of events said into the cached answers, or marks those that are to be fetched again.
 *
 * @param trustedFromMs answers that are older than this may have changed unheard, if a snapshot comes now
 */
export function applyEvent(client: QueryClient, type: LiveEventType, data: unknown, trustedFromMs: number): void {
  switch (type) {
    case "snapshot": {
      const snapshot = data as LiveEvent<"snapshot">;
      client.setQueryData(federationKey, snapshot);
      trackAll(client, snapshot.jobs);
      // What came between the last event of another stream and now is not known.
      void client.invalidateQueries({
        predicate: ({ queryKey: [name], state }) => name !== getFederation.id && name !== phasesName && state.dataUpdatedAt < trustedFromMs,
      });
      return;
    }
    case "link":
      updateFederation(client, (before) => ({ ...before, link: data as LiveEvent<"link"> }));
      return;
    case "sites": {
      const { sites } = data as LiveEvent<"sites">;
      updateFederation(client, (before) => ({ ...before, sites: replaceBy(before.sites, sites, ({ name }) => name) }));
      return;
    }
    case "jobs":
      applyJobs(client, data as LiveEvent<"jobs">);
      return;
    case "job-events": {
      const { jobId, entries } = data as LiveEvent<"job-events">;
      append(client, "events", jobId, entries);
      return;
    }
    case "metrics": {
      const { jobId, points } = data as LiveEvent<"metrics">;
      append(client, "metrics", jobId, points);
      return;
    }
    case "logs": {
      const { jobId, lines } = data as LiveEvent<"logs">;
      append(client, "logs", jobId, lines);
      return;
    }
    case "people":
      forget(client, (data as LiveEvent<"people">).changed);
      return;
    default:
      return type satisfies never;
  }
}

const changedByStatus: ReadonlySet<unknown> = new Set([listJobs.id, getJob.id, listJobReceipts.id, getJobStatistics.id]);

function applyJobs(client: QueryClient, { jobs, removed }: LiveEvent<"jobs">): void {
  const before = client.getQueryData<Federation>(federationKey)?.jobs ?? [];
  const isNews = removed.length > 0 || jobs.some(({ id, status }) => before.find((job) => job.id === id)?.status !== status);
  updateFederation(client, (view) => ({
    ...view,
    jobs: replaceBy(
      view.jobs.filter(({ id }) => !removed.includes(id)),
      jobs,
      ({ id }) => id,
    ).sort((a, b) => b.submittedAtMs - a.submittedAtMs),
  }));
  trackAll(client, jobs);
  // What a person may do with a job changes with its status, and only then; its last receipt is there when it has ended.
  if (isNews) void client.invalidateQueries({ predicate: ({ queryKey: [name] }) => changedByStatus.has(name) });
}

function trackAll(client: QueryClient, jobs: readonly Job[]): void {
  for (const { id, progress } of jobs) {
    if (Object.keys(progress).length === 0) continue;
    client.setQueryData<SitePhases>(phasesKey(id), (track = new Map()) => trackPhases(track, progress));
  }
}

function append(client: QueryClient, stream: JobStream, jobId: string, news: readonly { readonly seq: number }[]): void {
  const key = jobStreamKey(stream, jobId);
  const before = client.getQueryData<{ readonly items: readonly { readonly seq: number }[] }>(key);
  // An answer that is on its way may not have it yet.
  if (client.getQueryState(key)?.fetchStatus === "fetching") keepEarly(client, stream, jobId, news);
  // A page that never asked for this job does not keep it.
  if (before === undefined) return;
  const items = appendTo(stream, before.items, news);
  // One that is on its way is let arrive; where it is too old as well, the next news tells.
  if (items === undefined) void client.invalidateQueries({ queryKey: key }, { cancelRefetch: false });
  else client.setQueryData(key, { ...before, items });
}

/** Marks the lists that changed, by the first word of their routes; who somebody is may have changed with the people. */
function forget(client: QueryClient, changed: readonly string[]): void {
  const words = new Set(changed);
  void client.invalidateQueries({
    predicate: ({ queryKey }) => {
      const id = String(queryKey[0]);
      return words.has(id.split(".")[0] ?? "") || (words.has("people") && (id === getSession.id || id === "me.get"));
    },
  });
}

function updateFederation(client: QueryClient, change: (before: Federation) => Federation): void {
  client.setQueryData<Federation>(federationKey, (before) => (before === undefined ? undefined : change(before)));
}

function replaceBy<T>(before: readonly T[], news: readonly T[], nameOf: (item: T) => string): T[] {
  const byName = new Map(before.map((item) => [nameOf(item), item]));
  for (const item of news) byName.set(nameOf(item), item);
  return [...byName.values()];
}
