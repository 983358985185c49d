import { FlareError } from "@flare-ts/contracts/errors";
import { throwIfAborted } from "../abort.js";
import { maxContributors } from "../exact/exact-scale.js";
import type { Arithmetic, DistancesInit, FoldedBatch, FoldInit, FoldUpdate, TakeNote } from "../session/arithmetic.js";
import { type Batch, batchesForAllValues, planBatches } from "../session/batches.js";
import { combineIntegers } from "../session/combine-integers.js";
import { BatchFinisher } from "../session/finish-batch.js";
import { foldTotals } from "../session/fold-totals.js";
import { inFlight } from "../session/in-flight.js";
import { ReusedBuffer } from "../session/read-pieces.js";
import { UpdateFindings } from "../session/update-findings.js";
import { isFloatDtype } from "../tensor.js";
import { BatchOnDevice, type BatchRoom } from "./batch-on-device.js";
import type { CombineDevice } from "./combine-device.js";
import { inSmallerTiles } from "./in-smaller-tiles.js";
import { StoredPieces } from "./stored-pieces.js";
import { layRows, TileRows } from "./tile-rows.js";

/** Tiles in work at once: one is computed while the next is read and uploaded. */
const tilesInFlight = 3;
/** Updates that are checked at once: the first and last batches of one alone leave threads without work. */
const updatesInFlight = 4;

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
  /** Why the device is not asked any more, once it is lost. */
  let loss: string | undefined;
  const leave: Leave = (cause, note) => {
    if (!(cause instanceof FlareError) || (cause.code !== "aggregate/device-lost" && cause.code !== "aggregate/device-memory")) throw cause;
    const sentence = `${device.name}: ${cause.message} The CPU went on, exactly.`;
    if (cause.code === "aggregate/device-lost") loss ??= sentence;
    note?.(sentence);
  };
  const isLost = (note: TakeNote | undefined): boolean => {
    if (loss !== undefined) note?.(loss);
    return loss !== undefined;
  };
  return {
    device: device.device,
    isExact: mode === "exact",
    keep: (bytes) => cpu.keep(bytes),
    inspect: (...args) => cpu.inspect(...args),
    distances: async (init) => {
      if (isLost(init.note)) return cpu.distances(init);
      try {
        return await distancesOnDevice(device, init);
      } catch (cause) {
        leave(cause, init.note);
        return cpu.distances(init);
      }
    },
    fold: (init) => {
      // At the very limit a sum could be 2^63, one more than a 64-bit integer holds.
      const isBeyond = mode === "exact" && init.updates.length >= maxContributors;
      const isForCpu =
        isBeyond || init.combine.kind === "custom" || init.result === "sums" || init.updates.some(({ sums }) => sums !== undefined);
      return isForCpu || isLost(init.note) ? cpu.fold(init) : foldOnDevice(device, cpu, mode, init, { leave, isLost });
    },
  };
}

/** Goes on without the device, or throws what is no reason to. */
type Leave = (cause: unknown, note: TakeNote | undefined) => void;

/** How it is known, and made known, that the device cannot go on. */
interface Leaving {
  readonly leave: Leave;
  readonly isLost: (note: TakeNote | undefined) => boolean;
}

async function* foldOnDevice(
  device: CombineDevice,
  cpu: Arithmetic,
  mode: "exact" | "fast",
  init: FoldInit,
  leaving: Leaving,
): AsyncGenerator<FoldedBatch> {
  // Values are checked by a reading of its own: a tile that is tried again would count them twice.
  const needsMaxima = mode === "exact" && init.combine.kind === "mean" && init.announced === undefined;
  const checking = checked(cpu, init, needsMaxima);
  checking.catch(() => {});
  const updates = needsMaxima ? await checking : init.updates.map((update) => ({ ...update, findings: undefined }));
  try {
    yield* foldChecked(device, mode, { ...init, updates }, leaving);
  } catch (cause) {
    // What is wrong with an update says more than what came of it.
    await checking;
    throw cause;
  } finally {
    await Promise.allSettled([checking]);
  }
  await checking;
}

/** Also finds the largest magnitudes of updates where they are needed and not known. */
async function checked(cpu: Arithmetic, { updates, tensors, signal }: FoldInit, needsMaxima: boolean): Promise<FoldInit["updates"]> {
  const found: FoldUpdate[] = [];
  const inspected = inFlight({
    items: updates,
    count: updatesInFlight,
    start: async (update): Promise<FoldUpdate> => {
      const { contributor, maxima } = update;
      const isSearched = needsMaxima && maxima === undefined;
      const findings = update.findings ?? (isSearched ? new UpdateFindings({ tensors, contributor, announced: undefined }) : undefined);
      if (findings !== undefined) await cpu.inspect(update, tensors, findings, signal);
      return { ...update, findings: undefined, maxima: findings?.maxima ?? maxima };
    },
    release: () => {},
  });
  for await (const update of inspected) found.push(update);
  return found;
}

async function* foldChecked(
  device: CombineDevice,
  mode: "exact" | "fast",
  init: FoldInit,
  { leave, isLost }: Leaving,
): AsyncGenerator<FoldedBatch> {
  const totals = foldTotals(init);
  const finisher = new BatchFinisher(init, totals);
  const tileRows = new TileRows(device);
  const idle: BatchRoom[] = [];
  const makeRoom = (): BatchRoom => ({
    combined: new ReusedBuffer(),
    stored: new StoredPieces(({ tensor }) => finisher.isPlain(tensor)),
    results: new ReusedBuffer(),
  });
  /** There was no room even for the least: to ask again with every batch would take longer than the CPU. */
  let isFull = false;
  const rows = Math.max(1, init.updates.length);
  // Padding may double a tile of small tensors.
  const elements = Math.floor(device.maxTileElements / rows / 2);
  const combined = inFlight({
    items: planBatches(init.tensors, init.isIncluded, limitsFor(init, elements)),
    count: tilesInFlight,
    start: async (batch: Batch) => {
      throwIfAborted(init.signal);
      const room = idle.pop() ?? makeRoom();
      const work = new BatchOnDevice({ device, rows: tileRows, mode, init, totals, batch, room });
      const integers = await combineIntegers(init, totals, batch);
      try {
        return { batch, room, integers, floats: isLost(init.note) || isFull ? await work.onCpu() : await work.run() };
      } catch (cause) {
        leave(cause, init.note);
        isFull = true;
        return { batch, room, integers, floats: await work.onCpu() };
      }
    },
    release: ({ room }) => idle.push(room),
  });
  try {
    for await (const { batch, room, integers, floats } of combined) {
      throwIfAborted(init.signal);
      const { bytes } = room.stored;
      const state = await finisher.finish(batch, { floats, integers, isStored: (piece) => room.stored.has(piece) }, bytes);
      yield { model: bytes.subarray(0, batch.bytes), state };
    }
  } finally {
    device.rest?.();
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
  const rows = new TileRows(device);
  const measured = inFlight({
    items: planBatches(tensors, isCompared, { elements, pieceElements: elements }),
    count: tilesInFlight,
    start: async ({ pieces }: Batch) => {
      throwIfAborted(signal);
      const laid = layRows(pieces);
      const filled = await rows.read(sources, laid);
      try {
        return await inSmallerTiles(
          filled,
          (tile) => device.squaredDistances(tile),
          (a, b) => a.map((value, i) => value + (b[i] ?? 0)),
        );
      } finally {
        filled.giveBack();
      }
    },
    release: () => {},
  });
  try {
    // Of 200 updates there are 40,000 a tile: an iterator takes longer than the GPU.
    for await (const some of measured) for (let i = 0; i < some.length; i++) distances[i] = (distances[i] as number) + (some[i] as number);
  } finally {
    device.rest?.();
  }
  return distances;
}
