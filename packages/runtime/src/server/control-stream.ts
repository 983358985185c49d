import { create } from "@bufbuild/protobuf";
import { limits } from "@flare-ts/contracts";
import { HeartbeatSchema, type ServerMessage, ServerMessageSchema } from "@flare-ts/contracts/wire";
import type { Logger } from "../logging/logger.js";
import { SilenceWatch } from "../progress/silence-watch.js";
import type { StallClock } from "../progress/stall-clock.js";
import { SiteOutbox } from "./site-outbox.js";

export interface ControlStreamsComponents {
  readonly now: () => number;
  /** Ends a session whose participant has fallen silent. */
  readonly disconnect: (sessionId: string, reason: string) => void;
  /** A number that changes whenever anything has come in from a session. */
  readonly heardOf: (sessionId: string) => number;
  readonly stallClock: StallClock;
}

/** The server's end of one control stream. */
export interface ControlStream {
  readonly outbox: SiteOutbox;
  /** Ends the session. */
  cut(reason: string): void;
  /** A message has come. */
  mark(): void;
  /** The stream is closed. */
  end(): void;
}

/**
 * Keeps a control stream: what goes out, heartbeats, and the watch over silence. A participant of which nothing is heard for
 * `limits.silenceMs`, or which does not take what it is told, is disconnected.
 */
export function keepControlStream(
  { now, disconnect, heardOf, stallClock }: ControlStreamsComponents,
  init: { readonly sessionId: string; readonly logger: Logger; readonly send: (message: ServerMessage) => Promise<void> },
): ControlStream {
  const { sessionId, logger, send } = init;
  const cut = (reason: string): void => disconnect(sessionId, reason);
  const outbox = new SiteOutbox({ send, onOverflow: cut, logger });
  const silence = new SilenceWatch({ clock: stallClock }, { heard: () => heardOf(sessionId), onSilence: cut });
  // Not in answer to the participant's: those may be stuck behind what it uploads.
  const heartbeat = setInterval(() => outbox.push(heartbeatMessage(now())), limits.heartbeatMs);
  return {
    outbox,
    cut,
    mark: () => silence.mark(),
    end: () => {
      silence.stop();
      clearInterval(heartbeat);
    },
  };
}

export function heartbeatMessage(nowMs: number): ServerMessage {
  return create(ServerMessageSchema, { message: { case: "heartbeat", value: create(HeartbeatSchema, { sentAtMs: BigInt(nowMs) }) } });
}
