import { readFile } from "node:fs/promises";
import { announceScale, StreamSums, type StreamUpdate } from "@flare-ts/aggregator";
import type { Contestant, FigureHead } from "../contestant.ts";
import { weightOf } from "../updates/weights.ts";
import { type OpenContestants, timed } from "./kernels-in-memory.ts";

export interface KernelsOnChunksInit {
  readonly files: readonly string[];
  /** Bytes of one update's tensors. */
  readonly updateBytes: number;
  readonly modes: readonly ("exact" | "fast")[];
  readonly against: FigureHead["against"];
}

const chunkBytes = 2 ** 20;
/** Buffers of their own: several, so that they do not stay in the cache, and not more than that takes. */
const mostBuffers = 4;

/** One chunk of one update. */
interface Arrival {
  readonly client: number;
  readonly at: number;
}

/** Orders in which chunks arrive, by what figures call them. */
const orders = [
  { id: "chunks", what: "chunks, one update after another: copy, check, add", arrivals: oneAfterAnother },
  { id: "chunks-side-by-side", what: "chunks, all updates side by side: copy, check, add", arrivals: sideBySide },
] as const;

/**
 * What a server does with updates that arrive piece by piece: chunks of 1 MiB out of Node's buffers, on the caller's thread; each is
 * copied in, checked, and added to sums of the whole model. Finishing is not part of it. One update after another, each chunk meets
 * sums that are far from the processor; side by side, as a server sees updates that are sent at the same time, only the first does.
 */
export async function kernelsOnChunks({ files, updateBytes, modes, against }: KernelsOnChunksInit): Promise<OpenContestants> {
  const model = files[0] ?? "";
  const buffers = await Promise.all(files.slice(0, mostBuffers).map((file) => readFile(file)));
  const scale = await announceScale({ model, maxWeight: weightOf(files.length) });
  const nowMs = (): number => performance.now();
  const opened: StreamSums[] = [];
  const contestants: Contestant[] = [];
  for (const mode of modes) {
    const sums = await StreamSums.create({ nowMs }, { model, sums: mode === "exact" ? { mode, scale } : { mode }, paramsType: "FULL" });
    opened.push(sums);
    for (const { id, what, arrivals } of orders) {
      contestants.push({
        figures: [
          {
            id: `kernels/${id}/${mode}/t1`,
            group: "engine",
            what,
            source: "chunks",
            threads: 1,
            bytes: files.length * updateBytes,
            engine: "cpu-wasm",
            mode,
            strategy: "fed-avg",
            against,
          },
        ],
        run: timed(async () => {
          sums.restart();
          const bufferOf = (client: number): Buffer => buffers[client % buffers.length] ?? Buffer.alloc(0);
          const updates: StreamUpdate[] = [];
          for (const { client, at } of arrivals(files.length, bufferOf(0).byteLength)) {
            const buffer = bufferOf(client);
            const update = (updates[client] ??= sums.begin({ contributor: `site-${client}`, weight: weightOf(client) }));
            update.write(buffer.subarray(at, at + chunkBytes));
            if (at + chunkBytes >= buffer.byteLength) update.end();
          }
        }),
      });
    }
  }
  return {
    contestants,
    close: async () => {
      for (const sums of opened) sums.discard();
    },
  };
}

function* oneAfterAnother(clients: number, bytes: number): Generator<Arrival> {
  for (let client = 0; client < clients; client++) for (let at = 0; at < bytes; at += chunkBytes) yield { client, at };
}

function* sideBySide(clients: number, bytes: number): Generator<Arrival> {
  for (let at = 0; at < bytes; at += chunkBytes) for (let client = 0; client < clients; client++) yield { client, at };
}
