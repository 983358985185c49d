import { FlareError } from "@flare-ts/contracts";
import { throwIfAborted } from "../abort.js";
import type { Arithmetic, DistancesInit, FoldedBatch, FoldInit } from "../session/arithmetic.js";
import { type Batch, batchBytes, batchesForAllValues, planBatches } from "../session/batches.js";
import { combineIntegers } from "../session/combine-integers.js";
import { BatchFinisher } from "../session/finish-batch.js";
import { foldTotals } from "../session/fold-totals.js";
import { inFlight } from "../session/in-flight.js";
import { isFloatDtype } from "../tensor.js";
import { BatchOnDevice } from "./batch-on-device.js";
import type { CombineDevice } from "./combine-device.js";
import { inSmallerTiles } from "./in-smaller-tiles.js";
import { layRows, readRow } from "./tile-rows.js";

/** Tiles in work at once: one is computed while the next is read and uploaded. */
const tilesInFlight = 3;

export interface DeviceArithmeticInit {
  /** `exact` needs a device that sums exactly. */
  readonly mode: "exact" | "fast";
}

/**
 * Arithmetic of a device. What is not for it goes to the CPU's arithmetic: checks, integers, float64, combinations of one's own,
 * sums for another place. Where the device runs out of memory, smaller tiles are tried; where it fails, the CPU goes on and
 * the notes say so.
 */
export function deviceArithmetic(device: CombineDevice, cpu: Arithmetic, { mode }: DeviceArithmeticInit): Arithmetic {
  const notes = new Set<string>();
  let isLost = false;
  const leave = (cause: unknown): void => {
    if (!(cause instanceof FlareError) || (cause.code !== "aggregate/device-lost" && cause.code !== "aggregate/device-memory")) throw cause;
    isLost ||= cause.code === "aggregate/device-lost";
    notes.add(`${device.name}: ${cause.message} The CPU went on, exactly.`);
  };
  return {
    device: device.device,
    isExact: mode === "exact",
    notes: () => [...notes],
    keep: (bytes) => cpu.keep(bytes),
    inspect: (...args) => cpu.inspect(...args),
    distances: async (init) => {
      if (isLost) return cpu.distances(init);
      try {
        return await distancesOnDevice(device, init);
      } catch (cause) {
        leave(cause);
        return cpu.distances(init);
      }
    },
    fold: (init) => {
      const isForCpu =
        isLost || init.combine.kind === "custom" || init.result === "sums" || init.updates.some(({ sums }) => sums !== undefined);
      return isForCpu ? cpu.fold(init) : foldOnDevice(device, cpu, mode, init, leave, () => isLost);
    },
  };
}

async function* foldOnDevice(
  device: CombineDevice,
  cpu: Arithmetic,
  mode: "exact" | "fast",
  init: FoldInit,
  leave: (cause: unknown) => void,
  isLost: () => boolean,
): AsyncGenerator<FoldedBatch> {
  // Values that were not checked before are checked first: a tile that is tried again would count them twice.
  const updates = await checked(cpu, init);
  yield* foldChecked(device, mode, { ...init, updates }, leave, isLost);
}

async function checked(cpu: Arithmetic, { updates, tensors, signal }: FoldInit): Promise<FoldInit["updates"]> {
  for (const update of updates) if (update.findings !== undefined) await cpu.inspect(update, tensors, update.findings, signal);
  return updates.map((update) => ({ ...update, findings: undefined }));
}

async function* foldChecked(
  device: CombineDevice,
  mode: "exact" | "fast",
  init: FoldInit,
  leave: (cause: unknown) => void,
  isLost: () => boolean,
): AsyncGenerator<FoldedBatch> {
  const totals = foldTotals(init);
  const finisher = new BatchFinisher(init, totals);
  const out = new Uint8Array(batchBytes);
  const rows = Math.max(1, init.updates.length);
  // Padding may double a tile of small tensors.
  const elements = Math.floor(device.maxTileElements / rows / 2);
  const combined = inFlight({
    items: planBatches(init.tensors, init.isIncluded, limitsFor(init, elements)),
    count: tilesInFlight,
    start: async (batch: Batch) => {
      throwIfAborted(init.signal);
      const work = new BatchOnDevice(device, mode, init, totals, batch);
      const integers = await combineIntegers(init, totals, batch);
      try {
        return { batch, integers, floats: isLost() ? await work.onCpu() : await work.run() };
      } catch (cause) {
        leave(cause);
        return { batch, integers, floats: await work.onCpu() };
      }
    },
    release: () => {},
  });
  for await (const { batch, integers, floats } of combined) {
    throwIfAborted(init.signal);
    const state = await finisher.finish(batch, { floats, integers, isStored: () => false }, out);
    yield { model: out.subarray(0, batch.bytes), state };
  }
}

/** Grids belong to whole blocks; a device that has no room for one of each update is not used for exact sums. */
function limitsFor({ combine, updates }: FoldInit, elements: number): Parameters<typeof planBatches>[2] {
  if (combine.kind === "mean") return { elements };
  const held = batchesForAllValues(updates.length);
  const most = Math.max(64, Math.min(held.elements ?? elements, elements));
  return { elements: most, pieceElements: most };
}

async function distancesOnDevice(device: CombineDevice, { tensors, sources, signal }: DistancesInit): Promise<Float64Array> {
  const n = sources.length;
  const distances = new Float64Array(n * n);
  const isCompared = (tensor: number): boolean =>
    sources[0]?.stored[tensor] !== undefined && isFloatDtype(tensors[tensor]?.dtype ?? "BOOL");
  if (tensors.some(({ dtype }, tensor) => dtype === "F64" && isCompared(tensor))) {
    throw new FlareError("aggregate/device-memory", "It has no float64.");
  }
  const elements = Math.max(64, Math.floor(device.maxTileElements / n / 2));
  const measured = inFlight({
    items: planBatches(tensors, isCompared, { elements, pieceElements: elements }),
    count: tilesInFlight,
    start: async ({ pieces }: Batch) => {
      throwIfAborted(signal);
      const laid = layRows(pieces);
      const values = await Promise.all(sources.map((source) => readRow(source, laid)));
      return inSmallerTiles(
        { values },
        (tile) => device.squaredDistances(tile),
        (a, b) => a.map((value, i) => value + (b[i] ?? 0)),
      );
    },
    release: () => {},
  });
  for await (const some of measured) for (const [i, value] of some.entries()) distances[i] = (distances[i] ?? 0) + value;
  return distances;
}
