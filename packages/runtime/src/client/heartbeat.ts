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

  start(everyMs: number): void {
    let lastUs = usedMicroseconds();
    this.#timer = setInterval(() => {
      const nowUs = usedMicroseconds();
      this.#send(nowUs - lastUs >= everyMs * 1000 * idleShare);
      lastUs = nowUs;
    }, everyMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** A process that waits uses far less of a core than this. */
const idleShare = 0.01;

function usedMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
