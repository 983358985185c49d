import { FlareError } from "@flare-ts/contracts/errors";
import { foldFloat32, sumsOf } from "../exact/limb-sums.js";
import { medianOf } from "../strategies/median.js";
import { trimmedMeanOf } from "../strategies/trimmed-mean.js";
import { type CombineDevice, type LentRows, runElements, type Tile } from "./combine-device.js";

/** One call of a method of a device. */
export interface DeviceCall {
  readonly method: "weightedSum" | "exactSum" | "median" | "trimmedMean" | "squaredDistances";
  /** Elements of all updates in the tile. */
  readonly elements: number;
  /** Calls before it. */
  readonly index: number;
}

export interface FakeDeviceInit {
  readonly isExact?: boolean;
  readonly maxTileElements?: number;
  /** Whether it lends rows, which are gone once they are released. @default false */
  readonly isLending?: boolean;
  /** Called before each computation; what it throws, the method throws. */
  readonly before?: (call: DeviceCall) => void;
}

/** A device that computes in plain JavaScript, as the rules say, and counts. */
export class FakeDevice implements CombineDevice {
  readonly name = "webgpu";
  readonly device = "a fake";
  readonly maxTileElements: number;
  readonly isExact: boolean;
  readonly calls: DeviceCall[] = [];
  isClosed = false;
  /** Rows that were lent and not released. */
  lent = 0;
  readonly #isLending: boolean;
  readonly #before: (call: DeviceCall) => void;

  constructor({ isExact = true, maxTileElements = 2 ** 19, isLending = false, before = () => {} }: FakeDeviceInit = {}) {
    this.isExact = isExact;
    this.maxTileElements = maxTileElements;
    this.#isLending = isLending;
    this.#before = before;
  }

  async lend(updates: number, elements: number): Promise<LentRows | undefined> {
    if (!this.#isLending) return undefined;
    this.lent += 1;
    const buffer = new ArrayBuffer(4 * updates * elements);
    return {
      values: Array.from({ length: updates }, (_, i) => new Float32Array(buffer, 4 * i * elements, elements)),
      release: () => {
        this.lent -= 1;
        if (!buffer.detached) buffer.transfer();
      },
    };
  }

  async weightedSum(tile: Tile, factors: readonly number[]): Promise<Float32Array> {
    const sums = new Float32Array(this.#begin("weightedSum", tile));
    for (const [i, row] of tile.values.entries()) {
      const factor = Math.fround(factors[i] ?? 0);
      for (const [at, value] of row.entries()) sums[at] = Math.fround((sums[at] ?? 0) + Math.fround(factor * value));
    }
    return sums;
  }

  async exactSum(tile: Tile, factors: readonly number[], gridBits: Int32Array): Promise<BigInt64Array> {
    const length = this.#begin("exactSum", tile);
    if (gridBits.length !== length / runElements) throw new RangeError("there is not one grid for each run");
    const steps = new BigInt64Array(length);
    for (const [run, bits] of gridBits.entries()) {
      const [from, to] = [run * runElements, (run + 1) * runElements];
      const sums = { high: new Float64Array(runElements), low: new Float64Array(runElements) };
      for (const [i, row] of tile.values.entries()) foldFloat32(sums, 0, row.subarray(from, to), factors[i] ?? 0, bits);
      steps.set(sumsOf(sums, 0, runElements, bits), from);
    }
    return steps;
  }

  async median(tile: Tile): Promise<Float32Array> {
    const middles = new Float32Array(this.#begin("median", tile));
    medianOf(
      tile.values.map((row) => Float64Array.from(row)),
      middles,
    );
    return middles;
  }

  async trimmedMean(tile: Tile, cut: number): Promise<Float32Array> {
    const means = new Float32Array(this.#begin("trimmedMean", tile));
    trimmedMeanOf(
      tile.values.map((row) => Float64Array.from(row)),
      cut,
      means,
    );
    return means;
  }

  async squaredDistances(tile: Tile): Promise<Float64Array> {
    this.#begin("squaredDistances", tile);
    const { values } = tile;
    return Float64Array.from(values.flatMap((a) => values.map((b) => a.reduce((sum, value, at) => sum + (value - (b[at] ?? 0)) ** 2, 0))));
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  #begin(method: DeviceCall["method"], { values }: Tile): number {
    const length = values[0]?.length ?? 0;
    if (this.isClosed) throw new RangeError("the device was closed before");
    if (length === 0 || length % runElements !== 0) throw new RangeError("a tile is not made of whole runs");
    if (values.some((row) => row.length !== length)) throw new RangeError("rows of different lengths");
    const call = { method, elements: length * values.length, index: this.calls.length };
    this.calls.push(call);
    if (call.elements > this.maxTileElements) throw noRoom();
    this.#before(call);
    return length;
  }
}

/** What a device throws that has no room. */
export function noRoom(): FlareError {
  return new FlareError("aggregate/device-memory", "The fake has no room.");
}

/** What a device throws that is gone. */
export function lost(): FlareError {
  return new FlareError("aggregate/device-lost", "The fake is gone.");
}
