import { getSession, type LiveEventType, routeUrl, streamEvents } from "@flare-ts/dashboard-api/contract";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useRoute } from "wouter";
import { keyOf } from "../api/use-api-query.js";
import { applyEvent, liveEventTypes } from "./apply-event.js";
import { LiveConnection, type LiveState } from "./live-connection.js";

/** Whether the page's figures are of now, and of when they are otherwise. */
export interface Liveness {
  readonly state: LiveState;
  /** When the dashboard was last heard; `null` before it was. */
  readonly heardAtMs: number | null;
}

/** A page that nobody sees lets go of its stream after this time: browsers grant a server few connections, and all tabs share them. */
const hiddenForMs = 60_000;

/**
 * Keeps the page's one stream of events open while the page is seen, and what it says in the cached answers. On the page of a job the
 * stream brings that job's log lines too. Returns whether the page is live.
 */
export function useLive(): Liveness {
  const client = useQueryClient();
  const [, params] = useRoute("/jobs/:id");
  const jobId = params?.id;
  const [live, setLive] = useState<Liveness>({ state: "connecting", heardAtMs: null });
  const lastId = useRef<string | undefined>(undefined);
  useEffect(() => {
    // With its first snapshot a page has just asked for everything; with any other it missed something.
    let trustedFromMs = lastId.current === undefined ? performance.timeOrigin : Number.POSITIVE_INFINITY;
    const connection = new LiveConnection(
      {
        open: (after) => {
          // Who asked for the session while the dashboard was away heard nothing of it.
          if (connection.state === "lost") void client.invalidateQueries({ queryKey: keyOf(getSession) }, { cancelRefetch: false });
          return new EventSource(routeUrl(streamEvents, {}, { job: jobId, after }));
        },
        apply: (type, data) => {
          applyEvent(client, type as LiveEventType, data, trustedFromMs);
          if (type === "snapshot") trustedFromMs = Number.POSITIVE_INFINITY;
        },
        setTimer: setPageTimer,
        now: () => Date.now(),
      },
      { types: liveEventTypes, after: lastId.current },
    );
    const end = connection.subscribe(() => {
      setLive(({ heardAtMs }) => ({ state: connection.state, heardAtMs: connection.heardAtMs ?? heardAtMs }));
      // A session that has ended looks like a stream that is cut.
      if (connection.state !== "lost") return;
      trustedFromMs = Number.POSITIVE_INFINITY;
      void client.invalidateQueries({ queryKey: keyOf(getSession) });
    });
    let cancelRest = (): void => {};
    const look = (): void => {
      cancelRest();
      if (document.hidden) cancelRest = setPageTimer(() => connection.stop(), hiddenForMs);
      else connection.start();
    };
    document.addEventListener("visibilitychange", look);
    connection.start();
    return () => {
      document.removeEventListener("visibilitychange", look);
      cancelRest();
      end();
      connection.stop();
      lastId.current = connection.lastId;
    };
  }, [client, jobId]);
  return live;
}

function setPageTimer(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}
