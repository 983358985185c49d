import { parentPort, workerData } from "node:worker_threads";
import { FlareError } from "@flare-ts/contracts/errors";
import { type BlindingWork, blind } from "./blind.js";
import type { BlindedBatch } from "./blinding-pool.js";

const key = workerData as Uint8Array;

parentPort?.on("message", ({ id, work }: { readonly id: number; readonly work: BlindingWork }) => {
  try {
    const points = blind(key, work);
    const batch: BlindedBatch = { id, points };
    parentPort?.postMessage(batch, [points.buffer]);
  } catch (reason) {
    const batch: BlindedBatch = { id, error: FlareError.from(reason).toJSON() };
    parentPort?.postMessage(batch, []);
  }
});
