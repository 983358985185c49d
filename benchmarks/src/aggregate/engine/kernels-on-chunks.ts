import { readFile } from "node:fs/promises";
import { announceScale, StreamSums } from "@flare-ts/aggregator";
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

/**
 * What a server does with updates that arrive piece by piece: chunks of 1 MiB out of Node's buffers, one update after the other, on
 * the caller's thread; each is copied in, checked, and added to sums of the whole model. Finishing is not part of it.
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
    contestants.push({
      figures: [
        {
          id: `kernels/chunks/${mode}/t1`,
          group: "engine",
          what: "chunks: copy, check, add",
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
        for (const client of files.keys()) {
          const update = sums.begin({ contributor: `site-${client}`, weight: weightOf(client) });
          const buffer = buffers[client % buffers.length] ?? new Uint8Array();
          for (let at = 0; at < buffer.byteLength; at += chunkBytes) update.write(buffer.subarray(at, at + chunkBytes));
          update.end();
        }
      }),
    });
  }
  return {
    contestants,
    close: async () => {
      for (const sums of opened) sums.discard();
    },
  };
}
