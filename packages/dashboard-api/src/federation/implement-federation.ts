import { FlareError } from "@flare-ts/contracts";
import { getFederation, streamEvents } from "../contract/federation.js";
import type { DashboardParts } from "../dashboard-parts.js";
import { type Implementation, implement } from "../http/implement.js";
import { EventStream } from "./event-stream.js";
import { isPermitted, requireRight } from "./job-permissions.js";
import type { FeedReader } from "./live-feed.js";

/** Streams that one person may have open, and that all may. */
const mostOfOne = 20;
const mostOfAll = 1_000;
/** How often it is looked whether who reads is still signed in. */
const sessionCheckMs = 15_000;

/** The federation as it is, and the stream of what changes. */
export function implementFederation(parts: DashboardParts): readonly Implementation[] {
  const { link, feed } = parts.federation;
  const open = new Map<string, number>();
  return [
    implement(getFederation, async ({ actor }) => {
      requireRight(actor, "check_status");
      return link.view();
    }),
    implement(streamEvents, async ({ actor, query, request }) => {
      requireRight(actor, "check_status");
      const mine = open.get(actor.personId) ?? 0;
      if (mine >= mostOfOne || feed.readers >= mostOfAll) {
        throw new FlareError("dashboard/too-many-requests", "Too many pages listen to events; close some.");
      }
      const { job } = query;
      const shown = job === undefined ? undefined : link.view().jobs.find(({ id }) => id === job);
      const readsLogs = shown !== undefined && isPermitted(actor, "download_job", shown);
      const closers: (() => void)[] = [];
      const stream = new EventStream({
        onEnd: () => {
          for (const close of closers.splice(0)) close();
        },
      });
      const end = (): void => stream.end();
      const reader: FeedReader = {
        wants: ({ type, jobId }) => {
          if (type === "logs") return readsLogs && jobId === job;
          return jobId === undefined || job === undefined || jobId === job;
        },
        send: (text) => stream.send(text),
      };
      open.set(actor.personId, mine + 1);
      closers.push(() => {
        const left = (open.get(actor.personId) ?? 1) - 1;
        if (left === 0) open.delete(actor.personId);
        else open.set(actor.personId, left);
      });
      if (readsLogs && job !== undefined) closers.push(link.followLogs(job));
      // A page that is open must neither keep a session alive nor outlive it.
      const check = setInterval(() => {
        void parts.sessions
          .isAlive(actor)
          .then((isAlive) => {
            if (!isAlive) end();
          })
          .catch((err: unknown) => parts.logger.warn({ err }, "the session of a reader could not be looked up"));
      }, sessionCheckMs).unref();
      closers.push(() => clearInterval(check));
      parts.stopping.addEventListener("abort", end, { once: true });
      closers.push(() => parts.stopping.removeEventListener("abort", end));
      request.raw.once("close", () => stream.destroy());
      // The browser waits so long before it comes back.
      stream.send("retry: 2000\n\n");
      // A browser that comes back by itself names its last event; the address still has the one that it began after.
      closers.push(feed.open(reader, afterOf(request.headers["last-event-id"] ?? query.after)));
      if (parts.stopping.aborted) end();
      return { headers: { "x-accel-buffering": "no", "cache-control": "no-store, no-transform" }, body: stream };
    }),
  ];
}

function afterOf(text: unknown): number | undefined {
  return typeof text === "string" && /^\d{1,16}$/.test(text) ? Number(text) : undefined;
}
