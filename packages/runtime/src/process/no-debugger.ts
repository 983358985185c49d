/**
 * Keeps SIGUSR1 from opening Node's debugger: any process of the same user may send that signal, a trainer's too, and a
 * debugger on a process that holds a private key would hand it over.
 */
export function refuseDebugger(): void {
  if (process.listenerCount("SIGUSR1") === 0) process.on("SIGUSR1", () => undefined);
}
