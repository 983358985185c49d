import { limits } from "@flare-ts/contracts/errors";
import type { StallClock } from "./stall-clock.js";
import { StallWatch } from "./stall-watch.js";

export interface SilenceWatchInit {
  /** @default limits.silenceMs */
  readonly silenceMs?: number | undefined;
  /** A number that changes whenever anything has come in. */
  heard(): number;
  /** Nothing has come in for so long. */
  onSilence(reason: string): void;
}

/**
 * Finds out that the other end of a control stream is gone. Every message counts, and so does every byte of something else on
 * the same connection: over a line of 1 Mbit/s a heartbeat waits half a minute behind the 4 MiB of an upload that are under way.
 */
export class SilenceWatch {
  readonly #watch: StallWatch;
  readonly #stop: () => void;

  constructor(components: { readonly clock: StallClock }, init: SilenceWatchInit) {
    const { silenceMs = limits.silenceMs, heard, onSilence } = init;
    const seconds = silenceMs / 1000;
    this.#watch = new StallWatch(components, {
      stallMs: silenceMs,
      first: "",
      onStall: () => onSilence(`nothing was heard for ${seconds} s`),
    });
    let before = heard();
    const look = (): (() => void) =>
      components.clock.setTimer(silenceMs / 4, () => {
        const now = heard();
        if (now !== before) this.#watch.mark("");
        before = now;
        cancel = look();
      });
    let cancel = look();
    this.#stop = () => cancel();
  }

  /** A message has come. */
  mark(): void {
    this.#watch.mark("");
  }

  stop(): void {
    this.#watch.stop();
    this.#stop();
  }
}
