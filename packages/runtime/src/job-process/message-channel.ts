/**
 * A local, ordered, reliable line of JSON messages between a job process and its parent. Launchers provide it: over the
 * IPC of a child process, a Unix socket, or memory in tests.
 */
export interface MessageChannel {
  /** Sends a JSON value. After the channel has closed, the message is dropped. */
  send(message: unknown): void;
  /** Registers the one listener for messages. */
  onMessage(listener: (message: unknown) => void): void;
  /** Calls the listener once, when either side has closed or the other process is gone; at once if that has happened. */
  onClose(listener: () => void): void;
  close(): void;
}
