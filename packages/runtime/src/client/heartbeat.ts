import { limits } from "@flare-ts/contracts";

/**
 * Says every few seconds that this process lives, and whether it has done anything since. The timer is one of the event loop
 * that the script runs on, so a loop that never returns sends none; a script that waits for something that never comes does
 * no work. It does not keep the process alive.
 */
export class Heartbeat {
  readonly #send: (moved: boolean) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(components: { readonly send: (moved: boolean) => void }) {
    this.#send = components.send;
  }

  start(): void {
    let lastUs = usedMicroseconds();
    this.#timer = setInterval(() => {
      const nowUs = usedMicroseconds();
      this.#send(nowUs - lastUs >= idleMs * 1000);
      lastUs = nowUs;
    }, limits.heartbeatMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** A process that waits uses far less processor time than this between two heartbeats: 1 % of a core. */
const idleMs = limits.heartbeatMs / 100;

function usedMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
