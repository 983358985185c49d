import { getSession, type Profile, type Session } from "@flare-ts/dashboard-api/contract";
import { useQueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useState } from "react";
import { keyOf } from "./use-api-query.js";

const LeaveContext = createContext<() => void>(() => {});

/** Gives the pages below it the way to say that somebody signed out by themselves. */
export const LeaveProvider = LeaveContext.Provider;

/** To be called when somebody has signed out: their pages are thrown away, in the browser's other windows too. */
export function useLeave(): () => void {
  return useContext(LeaveContext);
}

/** How the windows of a browser tell each other that somebody signed out. */
const channelName = "flare-session";

export interface KeptPerson {
  /** Who is signed in here, or was until the session ended by itself; their pages are kept, for them alone. */
  readonly person: Profile | null;
  readonly leave: () => void;
}

/** Keeps who was signed in on this page when the session ends, unless they signed out. */
export function useKeptPerson(session: Session | undefined): KeptPerson {
  const client = useQueryClient();
  const now = session?.person?.state === "approved" ? session.person : null;
  const [person, setPerson] = useState<Profile | null>(now);
  const [isLeaving, setLeaving] = useState(false);
  if (session !== undefined && now === null && isLeaving) {
    setPerson(null);
    setLeaving(false);
  } else if (now !== null && now !== person) {
    setPerson(now);
  } else if (session !== undefined && session.person !== null && now === null && person !== null) {
    // Somebody who waits for approval, or was shut out.
    setPerson(null);
  }
  useEffect(() => {
    const channel = new BroadcastChannel(channelName);
    channel.addEventListener("message", () => {
      setLeaving(true);
      void client.invalidateQueries({ queryKey: keyOf(getSession) });
    });
    return () => channel.close();
  }, [client]);
  return {
    person,
    leave: () => {
      setLeaving(true);
      const channel = new BroadcastChannel(channelName);
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel stays within its origin
      channel.postMessage("left");
      channel.close();
    },
  };
}
