import type { Socket } from "node:net";
import type { IncomingGarbage } from "../transport/incoming-garbage.js";

/** A dead peer is found out by TCP after so long without a byte. */
const keepAliveMs = 30_000;
/** What one side has sent may still go out to the other for so long after it has left. */
const flushMs = 1_000;

/**
 * Lets bytes through between two connections, both ways and unread: each side is read as fast as the other takes it, so that little of
 * what is under way is held here. Each ends with the other; what one had sent before still goes out.
 *
 * @param garbage hears of the bytes that have come in
 * @param onOver hears once that both are over
 */
export function splice(one: Socket, other: Socket, garbage: Pick<IncomingGarbage, "note">, onOver: () => void): void {
  let open = 2;
  const follow = (from: Socket, to: Socket): void => {
    from.setNoDelay(true);
    from.setKeepAlive(true, keepAliveMs);
    from.on("error", () => undefined);
    from.once("close", (hadError) => {
      open -= 1;
      if (open === 0) return onOver();
      if (hadError) return void to.destroy();
      to.end();
      const timer = setTimeout(() => to.destroy(), flushMs);
      to.once("close", () => clearTimeout(timer));
    });
    from.on("data", ({ byteLength }: Buffer) => garbage.note(byteLength));
    from.pipe(to);
  };
  // One that broke before it came here tells nobody any more.
  if (one.destroyed || other.destroyed) {
    one.destroy();
    other.destroy();
    return onOver();
  }
  follow(one, other);
  follow(other, one);
}
