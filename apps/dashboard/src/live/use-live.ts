import { getSession, type LiveEventType, routeUrl, streamEvents } from "@flare-ts/dashboard-api/contract";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useRoute } from "wouter";
import { keyOf } from "../api/use-api-query.js";
import { applyEvent, liveEventTypes } from "./apply-event.js";
import { LiveConnection, type LiveState } from "./live-connection.js";

/**
 * Keeps the page's one stream of events open, and what it says in the cached answers. On the page of a job the stream brings
 * that job's log lines too. Returns whether the page is live.
 */
export function useLive(): LiveState {
  const client = useQueryClient();
  const [, params] = useRoute("/jobs/:id");
  const jobId = params?.id;
  const [state, setState] = useState<LiveState>("connecting");
  useEffect(() => {
    const connection = new LiveConnection(
      {
        open: () => new EventSource(routeUrl(streamEvents, {}, { job: jobId })),
        apply: (type, data) => applyEvent(client, type as LiveEventType, data),
        setTimer: (run, ms) => {
          const timer = setTimeout(run, ms);
          return () => clearTimeout(timer);
        },
      },
      { types: liveEventTypes },
    );
    const end = connection.subscribe(() => {
      setState(connection.state);
      // A session that has ended looks like a stream that is cut.
      if (connection.state === "lost") void client.invalidateQueries({ queryKey: keyOf(getSession) });
    });
    connection.start();
    return () => {
      end();
      connection.stop();
    };
  }, [client, jobId]);
  return state;
}
