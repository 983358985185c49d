import { readFile } from "node:fs/promises";
import { announceScale, dtypeBytes, readSafetensorsHeader, StreamSums, type StreamSumsInit } from "@flare-ts/aggregator";
import type { Contestant, FigureHead } from "../contestant.ts";
import { type FloatDtype, floatDtypes, tensorBytes } from "../layouts/float-dtype.ts";
import { weightOf } from "../updates/weights.ts";
import { type OpenContestants, timed } from "./kernels-in-memory.ts";

export interface KernelsOnChunksInit {
  readonly files: readonly string[];
  readonly dtype: FloatDtype;
  readonly modes: readonly ("exact" | "fast")[];
  readonly against: FigureHead["against"];
}

const chunkElements = 262_144;
/** Buffers of their own: several, so that they do not stay in the cache, and not more than that takes. */
const mostBuffers = 4;

/**
 * What a server does with an update that arrives piece by piece: chunks of 262,144 elements out of Node's buffers, one update after
 * the other, on the caller's thread; each is copied in, checked, and added to sums of the whole model. The memory of the sums is that
 * of the round before.
 */
export async function kernelsOnChunks({ files, dtype, modes, against }: KernelsOnChunksInit): Promise<OpenContestants> {
  const [first = ""] = files;
  const model = await readSafetensorsHeader(first);
  const buffers = await Promise.all(files.slice(0, mostBuffers).map((file) => readFile(file)));
  const scale = await announceScale({ model: first, maxWeight: weightOf(files.length) });
  const chunkBytes = chunkElements * dtypeBytes[floatDtypes[dtype]];
  const bytes = files.length * tensorBytes(model.tensors);
  const contestants: Contestant[] = [];
  for (const mode of modes) {
    const how: StreamSumsInit["sums"] = mode === "exact" ? { mode, scale } : { mode };
    const sums = await StreamSums.create({ nowMs: () => performance.now() }, { model, sums: how, paramsType: "FULL" });
    contestants.push({
      figures: [
        {
          id: `kernels/chunks/${mode}/t1`,
          group: "engine",
          what: "chunks: copy, check, add",
          source: "chunks",
          threads: 1,
          bytes,
          engine: "cpu-wasm",
          mode,
          strategy: "fed-avg",
          against,
        },
      ],
      run: timed(async () => {
        sums.restart();
        for (const client of files.keys()) sendUpdate(sums, client, buffers[client % buffers.length] ?? new Uint8Array(), chunkBytes);
      }),
    });
  }
  return { contestants, close: async () => {} };
}

function sendUpdate(sums: StreamSums, client: number, bytes: Uint8Array, chunkBytes: number): void {
  const update = sums.begin({ contributor: `client-${client}`, weight: weightOf(client) });
  for (let at = 0; at < bytes.byteLength; at += chunkBytes) update.write(bytes.subarray(at, at + chunkBytes));
  update.end();
}
