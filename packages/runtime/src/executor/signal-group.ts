/** Sends a signal to every process of a group; nothing happens when there is none. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch {
    // Gone already, which is what the signal was for.
  }
}
