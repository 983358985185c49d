import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What all links of a proxy suffer at this moment; `undefined` is fair weather. */
export interface LinkWeather {
  /** Nothing passes before it resolves. */
  hole: Promise<unknown> | undefined;
  bitsPerSecond: number | undefined;
  delay: LinkDelay | undefined;
  cutAfterBytes: { left: number; readonly onCut: () => void } | undefined;
  readonly random: () => number;
}

/** Milliseconds that pieces are late; the share of them that is late by `stallMs` more, as after a lost packet. */
export interface LinkDelay {
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly stallMs: number;
  readonly stallShare: number;
}

interface Piece {
  readonly bytes: Buffer;
  readonly dueMs: number;
}

/** Small enough for a throttle of 1 Mbit/s to be even. */
const pieceBytes = 16 * 1024;
/** What may be on its way: more than fits between two ends 300 ms apart at the speed of a loopback is not needed. */
const maxQueuedBytes = 8 * 1024 * 1024;

/** Carries bytes of one socket to the other through the weather, in order, until either ends. Never rejects. */
export async function pumpSocket(from: Socket, to: Socket, weather: LinkWeather): Promise<void> {
  const queue: Piece[] = [];
  const flow = { queuedBytes: 0, isOver: false };
  let wakeReader: () => void = () => undefined;
  let wakeWriter: () => void = () => undefined;
  const read = async (): Promise<void> => {
    let lastDueMs = 0;
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        for (let start = 0; start < chunk.byteLength; start += pieceBytes) {
          const bytes = chunk.subarray(start, start + pieceBytes);
          // TCP keeps the order: what is late makes everything behind it late.
          lastDueMs = Math.max(lastDueMs, performance.now() + lateness(weather));
          queue.push({ bytes, dueMs: lastDueMs });
          flow.queuedBytes += bytes.byteLength;
          wakeWriter();
        }
        while (flow.queuedBytes > maxQueuedBytes && !flow.isOver) await new Promise<void>((resolve) => (wakeReader = resolve));
        if (flow.isOver) return;
      }
    } catch {
      // The socket broke; the other end learns of it below.
    } finally {
      flow.isOver = true;
      wakeWriter();
    }
  };
  const write = async (): Promise<void> => {
    for (;;) {
      const piece = queue.shift();
      if (piece === undefined) {
        if (flow.isOver) break;
        await new Promise<void>((resolve) => (wakeWriter = resolve));
        continue;
      }
      await untilMs(piece.dueMs);
      await weather.hole;
      if (weather.bitsPerSecond !== undefined) await sleep((piece.bytes.byteLength * 8 * 1000) / weather.bitsPerSecond);
      if (to.destroyed) break;
      const rest = cutShort(piece.bytes, weather);
      if (!to.write(rest)) await Promise.race([once(to, "drain"), once(to, "close")]).catch(() => undefined);
      if (rest !== piece.bytes) {
        from.resetAndDestroy();
        to.resetAndDestroy();
        break;
      }
      flow.queuedBytes -= piece.bytes.byteLength;
      wakeReader();
    }
    flow.isOver = true;
    wakeReader();
    // In a hole the end of a connection does not get through either.
    await weather.hole;
    to.end();
    if (from.errored !== null || to.destroyed) {
      from.destroy();
      to.destroy();
    }
  };
  await Promise.all([read(), write()]);
}

function lateness({ delay, random }: LinkWeather): number {
  if (delay === undefined) return 0;
  const { delayMs, jitterMs, stallMs, stallShare } = delay;
  return delayMs + (random() * 2 - 1) * jitterMs + (random() < stallShare ? stallMs : 0);
}

/** The bytes themselves, or the part of them that passes before the connection is cut. */
function cutShort(bytes: Buffer, weather: LinkWeather): Buffer {
  const cut = weather.cutAfterBytes;
  if (cut === undefined) return bytes;
  cut.left -= bytes.byteLength;
  if (cut.left > 0) return bytes;
  weather.cutAfterBytes = undefined;
  cut.onCut();
  return bytes.subarray(0, Math.max(0, bytes.byteLength + cut.left - 1));
}

async function untilMs(dueMs: number): Promise<void> {
  const waitMs = dueMs - performance.now();
  if (waitMs > 0) await sleep(waitMs);
}
