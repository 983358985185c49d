import type { ChildProcess } from "node:child_process";
import { FlareError } from "@flare-ts/contracts/errors";
import type { MessageChannel } from "./message-channel.js";

/** The parent's end of the IPC line to a child that was spawned with `ipc` in its `stdio`. */
export function childChannel(child: ChildProcess): MessageChannel {
  return ipcChannel(child);
}

/**
 * The child's end of the IPC line to the process that spawned it.
 *
 * @throws FlareError `runtime/channel-closed` when the process was not started with such a line.
 */
export function parentChannel(): MessageChannel {
  if (process.send === undefined) {
    throw new FlareError("runtime/channel-closed", "This program is started by a FLARE-TS server or client, not by hand.");
  }
  return ipcChannel(process);
}

/** What `process` and a `ChildProcess` have in common. */
interface IpcEnd {
  readonly connected: boolean;
  send?(message: object, sendHandle: undefined, options: undefined, callback: (error: Error | null) => void): boolean;
  on(event: "message", listener: (message: unknown) => void): unknown;
  once(event: "disconnect", listener: () => void): unknown;
  disconnect(): void;
}

function ipcChannel(end: IpcEnd): MessageChannel {
  // What comes before somebody listens is kept: Node would drop it.
  let early: unknown[] = [];
  let take = (message: unknown): void => void early.push(message);
  end.on("message", (message) => take(message));
  return {
    send: (message) => {
      // A line that breaks while a message is under way is reported by `disconnect`; the callback keeps it from being thrown.
      if (end.connected) end.send?.(message as object, undefined, undefined, () => {});
    },
    onMessage: (listener) => {
      const messages = early;
      early = [];
      take = listener;
      for (const message of messages) listener(message);
    },
    onClose: (listener) => {
      if (end.connected) end.once("disconnect", listener);
      else queueMicrotask(listener);
    },
    close: () => {
      if (end.connected) end.disconnect();
    },
  };
}
