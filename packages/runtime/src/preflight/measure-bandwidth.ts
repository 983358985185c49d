import { limits } from "@flare-ts/contracts";
import type { Chunk, Connection } from "../transport/connection.js";
import { firstProbeChunk, nextProbeChunk } from "../transport/probe-chunks.js";

/** What a way carries; bytes in a second. */
export interface Bandwidth {
  readonly up: number;
  readonly down: number;
}

export interface MeasureBandwidthInit {
  readonly steadyNow: () => number;
  readonly signal: AbortSignal;
  /** How long each direction is measured. */
  readonly lastMs: number;
}

// A fast way is measured in large pieces, as models travel; a slow one in small ones, or the last would take minutes.
const leastChunk = 16 * 1024;
const chunkMs = 200;

/** Measures both directions one after the other, for so long each or until enough went through. */
export async function measureBandwidth(
  connection: Pick<Connection, "probeUp" | "probeDown">,
  init: MeasureBandwidthInit,
): Promise<Bandwidth> {
  const up = await measureUp(connection, init);
  return { up, down: await measureDown(connection, init) };
}

async function measureUp(connection: Pick<Connection, "probeUp">, { steadyNow, signal, lastMs }: MeasureBandwidthInit): Promise<number> {
  const from = steadyNow();
  const chunks = async function* (): AsyncGenerator<Chunk, void, undefined> {
    let sent = leastChunk;
    yield firstProbeChunk(leastChunk);
    for (;;) {
      const elapsed = steadyNow() - from;
      const room = limits.probeBytes - sent;
      if (elapsed > lastMs || room <= 0) return;
      const size = Math.floor(Math.min(limits.chunkBytes, room, Math.max(leastChunk, (sent / Math.max(elapsed, 1)) * chunkMs)));
      yield nextProbeChunk(sent, size);
      sent += size;
    }
  };
  const bytes = await connection.probeUp(chunks(), signal);
  return (bytes * 1000) / Math.max(steadyNow() - from, 1);
}

async function measureDown(
  connection: Pick<Connection, "probeDown">,
  { steadyNow, signal, lastMs }: MeasureBandwidthInit,
): Promise<number> {
  const from = steadyNow();
  let bytes = 0;
  let lastAt = from;
  for await (const { data } of connection.probeDown(limits.probeBytes, signal)) {
    bytes += data.byteLength;
    lastAt = steadyNow();
    if (lastAt - from > lastMs) break;
  }
  return (bytes * 1000) / Math.max(lastAt - from, 1);
}
