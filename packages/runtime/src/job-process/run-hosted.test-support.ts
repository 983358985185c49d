import { randomBytes } from "node:crypto";
import { ExactJsEngine } from "@flare-ts/aggregator";
import type { JournalEntry } from "../job/job-event.js";
import { systemClock } from "../workflow/clock.js";
import { memoryChannels } from "./memory-channel.test-support.js";
import type { MemoryJobHost } from "./memory-job-host.test-support.js";
import { RpcPeer } from "./rpc-peer.js";
import type { ServerJobSide, ServerParentSide } from "./rpc-sides.js";
import { runServerJob, type ServerJobEnd } from "./run-server-job.js";

/** When a job process is killed: before it has journalled an entry, or after it. */
export interface Kill {
  readonly seq: number;
  readonly when: "before" | "after";
}

/** Runs a job process, and another one each time that it is killed. */
export async function runHosted(host: MemoryJobHost, kill?: Kill, clock = systemClock): Promise<ServerJobEnd> {
  const engine = new ExactJsEngine({ nowMs: () => performance.now() });
  let pending = kill;
  for (;;) {
    const [parentEnd, jobEnd] = memoryChannels();
    const isKilled = (when: Kill["when"], seq: number): boolean => {
      if (pending?.when !== when || pending.seq !== seq) return false;
      pending = undefined;
      parentEnd.close();
      return true;
    };
    const { append } = host.handlers;
    const peer = new RpcPeer<ServerParentSide, ServerJobSide>(
      { channel: parentEnd },
      {
        handlers: {
          ...host.handlers,
          append: (params) => {
            if (isKilled("before", host.entries.length + 1)) throw new Error("killed");
            return append(params);
          },
        },
        listeners: {},
      },
    );
    host.onEntry = ({ seq }) => void isKilled("after", seq);
    host.notify = (entry) => peer.notify("event", entry);
    peer.start();
    const end = await runServerJob({ channel: jobEnd, engine, randomBytes, clock });
    if (host.end !== undefined || end.exitStatus !== 9 || host.eventsOf("job-ended").length > 0) return end;
  }
}

/** What the workflow decided, without when and how fast. */
export function decisionsOf(entries: readonly JournalEntry[]): unknown[] {
  return entries.flatMap(({ event }) => {
    if (event.type === "update-accepted") return [];
    return [event.type === "round-closed" ? { ...event, aggregationSeconds: 0 } : event];
  });
}
