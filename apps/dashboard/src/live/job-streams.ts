import { type CallOutput, listJobEvents, listJobLogs, listJobMetrics } from "@flare-ts/dashboard-api/contract";
import { type QueryClient, type UseQueryResult, useQuery, useQueryClient } from "@tanstack/react-query";
import { useApi } from "../api/api-context.js";
import type { SitePhases } from "../jobs/phase-track.js";

/** What a job says while it runs, each numbered from 1. */
export type JobStream = "events" | "metrics" | "logs";

/** Key of a stream's cached items. */
export function jobStreamKey(stream: JobStream, jobId: string): readonly unknown[] {
  return [`jobs.${stream}`, jobId];
}

/** First part of the keys of `phasesKey`. */
export const phasesName = "phases";

/** Key of what the sites of a job were seen doing. */
export function phasesKey(jobId: string): readonly unknown[] {
  return [phasesName, jobId];
}

/** Keeps items that came while an answer of their stream was on its way. */
export function keepEarly(client: QueryClient, stream: JobStream, jobId: string, news: readonly { readonly seq: number }[]): void {
  client.setQueryData<readonly unknown[]>(earlyKey(stream, jobId), (before = []) => [...before, ...news]);
}

/** Most items that a page keeps of a stream; a journal is kept whole, because it is folded from its beginning. */
const mostKept: Readonly<Record<JobStream, number>> = { events: Number.POSITIVE_INFINITY, metrics: 100_000, logs: 5000 };

/**
 * The items with the news at their end, each once; nothing where some between them are missing, so that they have to be fetched.
 * The numbers of log lines may have gaps, because lines of sites that say too much are dropped.
 */
export function appendTo<T extends { readonly seq: number }>(
  stream: JobStream,
  before: readonly T[],
  news: readonly T[],
): readonly T[] | undefined {
  const last = before.at(-1)?.seq ?? 0;
  const fresh = news.filter(({ seq }) => seq > last);
  const [first] = fresh;
  if (first === undefined) return before;
  if (stream !== "logs" && first.seq !== last + 1) return undefined;
  return [...before, ...fresh].slice(-mostKept[stream]);
}

/** The items of a stream that were fetched and have come since. */
export interface StreamItems<T> {
  readonly items: readonly T[];
  /** Whether the server no longer has the oldest ones. */
  readonly isCut: boolean;
}

/** Kept up to date by the stream of events; long lists are not compared item by item each time that they grow. */
const kept = { staleTime: Number.POSITIVE_INFINITY, structuralSharing: false } as const;

/** A job's journal; it grows while the job runs. */
export function useJobEvents(jobId: string): UseQueryResult<StreamItems<CallOutput<typeof listJobEvents>["entries"][number]>> {
  const api = useApi();
  const client = useQueryClient();
  return useQuery({
    queryKey: jobStreamKey("events", jobId),
    queryFn: ({ signal }) =>
      fetchAll(client, "events", jobId, async (after) => {
        const { entries, hasMore } = await api.call(listJobEvents, { params: { id: jobId }, query: { after, limit: 10_000 }, signal });
        return { items: entries, hasMore, isCut: false };
      }),
    ...kept,
  });
}

/** What training scripts tracked. */
export function useJobMetrics(jobId: string): UseQueryResult<StreamItems<CallOutput<typeof listJobMetrics>["points"][number]>> {
  const api = useApi();
  const client = useQueryClient();
  return useQuery({
    queryKey: jobStreamKey("metrics", jobId),
    queryFn: ({ signal }) =>
      fetchAll(client, "metrics", jobId, async (after) => {
        const { points, hasMore, isCut } = await api.call(listJobMetrics, {
          params: { id: jobId },
          query: { after, limit: 10_000 },
          signal,
        });
        return { items: points, hasMore, isCut };
      }),
    ...kept,
  });
}

/** The log lines of sites that let them be read. */
export function useJobLogs(
  jobId: string,
): UseQueryResult<StreamItems<CallOutput<typeof listJobLogs>["lines"][number]> & { readonly sites: readonly string[] }> {
  const api = useApi();
  const client = useQueryClient();
  return useQuery({
    queryKey: jobStreamKey("logs", jobId),
    queryFn: async ({ signal }) => {
      let sites: readonly string[] = [];
      const all = await fetchAll(client, "logs", jobId, async (after) => {
        const answer = await api.call(listJobLogs, { params: { id: jobId }, query: { after, limit: 10_000 }, signal });
        sites = answer.sites;
        return { items: answer.lines, hasMore: answer.hasMore, isCut: answer.isCut };
      });
      return { ...all, sites };
    },
    ...kept,
  });
}

/** What the sites of a job were seen doing by this page. */
export function useJobPhases(jobId: string): SitePhases {
  const { data } = useQuery<SitePhases>({ queryKey: phasesKey(jobId), queryFn: () => new Map(), staleTime: Number.POSITIVE_INFINITY });
  return data ?? nothingSeen;
}

const nothingSeen: SitePhases = new Map();

function earlyKey(stream: JobStream, jobId: string): readonly unknown[] {
  return ["early", stream, jobId];
}

async function fetchAll<T extends { readonly seq: number }>(
  client: QueryClient,
  stream: JobStream,
  jobId: string,
  fetchAfter: (after: number) => Promise<{ readonly items: readonly T[]; readonly hasMore: boolean; readonly isCut: boolean }>,
): Promise<StreamItems<T>> {
  const items: T[] = [];
  let isCut = false;
  client.removeQueries({ queryKey: earlyKey(stream, jobId) });
  for (;;) {
    const page = await fetchAfter(items.at(-1)?.seq ?? 0);
    items.push(...page.items);
    isCut ||= page.isCut;
    if (!page.hasMore || page.items.length === 0) break;
  }
  const early = client.getQueryData<readonly T[]>(earlyKey(stream, jobId)) ?? [];
  return { items: appendTo(stream, items, early)?.slice(-mostKept[stream]) ?? items, isCut };
}
