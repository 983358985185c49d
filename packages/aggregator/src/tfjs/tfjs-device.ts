import { FlareError, limits } from "@flare-ts/contracts/errors";
import type { CombineDevice, Tile } from "../device/combine-device.js";
import { deviceFailure } from "./device-failure.js";
import { ranksOf, runDistancesOf, trimmedMeanOf, weightedSumOf } from "./tensor-combinations.js";
import type { Tfjs, TfTensor } from "./tfjs.js";

export interface TfjsDeviceInit<Tensor extends TfTensor = TfTensor> {
  /** TensorFlow.js, with its backend set and ready. */
  readonly tf: Tfjs<Tensor>;
  /** What the backend runs on, in words. */
  readonly description: string;
}

/** 64 MiB of values. Distances take the most room on the device, four times that; sorting takes a little more than once. */
const maxTileElements: number = limits.tfjsTileElements;

/**
 * A device over TensorFlow.js. With u = 2^-24, values and results below 2^-126 counting as zero where TensorFlow flushes them:
 *
 * - weighted sums of n updates are off by at most (n + 1)·u·Σ|factor × value|, and have the same bits on every backend that
 *   keeps to IEEE 754;
 * - medians are exact; trimmed means of k values are off by at most (k + 1)·u·Σ|value| / k;
 * - squared distances are off by at most 260·u of themselves, whatever the order of additions; where float32 would overflow,
 *   they are taken in float64 on the CPU.
 *
 * There are no exact sums: TensorFlow.js has neither 64-bit integers nor float64. `@tensorflow/tfjs-node` reads results
 * synchronously, which blocks the thread for as long as the device computes.
 */
export function tfjsDevice<Tensor extends TfTensor>(init: TfjsDeviceInit<Tensor>): CombineDevice {
  return new TfjsDevice(init.tf, init.description);
}

class TfjsDevice<Tensor extends TfTensor> implements CombineDevice {
  readonly name = "tfjs";
  readonly device: string;
  readonly maxTileElements = maxTileElements;
  readonly isExact = false;
  readonly #tf: Tfjs<Tensor>;
  readonly #backend: string;
  #isClosed = false;

  constructor(tf: Tfjs<Tensor>, description: string) {
    this.#tf = tf;
    this.#backend = tf.getBackend();
    this.device = description;
  }

  async weightedSum(tile: Tile, factors: readonly number[]): Promise<Float32Array> {
    return only(await this.#compute(tile, (tf) => [weightedSumOf(tf, tile.values, factors)]));
  }

  exactSum(): Promise<BigInt64Array> {
    return Promise.reject(new FlareError("internal/bug", "TensorFlow.js has no integers of 64 bits, so it has no exact sums."));
  }

  async median(tile: Tile): Promise<Float32Array> {
    const count = tile.values.length;
    const ranks = [...new Set([(count - 1) >> 1, count >> 1])];
    // A tensor that nothing was computed with is read as the very array that it was made of.
    const combine = (tf: Tfjs<Tensor>): readonly Tensor[] =>
      count === 1 ? [trimmedMeanOf(tf, tile.values, 0)] : ranksOf(tf, tile.values, ranks);
    const [lower, upper] = await this.#compute(tile, combine);
    // The mean of two is rounded once here, where the device might overflow.
    return upper === undefined ? only([lower]) : only([lower]).map((value, element) => (value + (upper[element] ?? Number.NaN)) / 2);
  }

  async trimmedMean(tile: Tile, cut: number): Promise<Float32Array> {
    return only(await this.#compute(tile, (tf) => [trimmedMeanOf(tf, tile.values, cut)]));
  }

  async squaredDistances(tile: Tile): Promise<Float64Array> {
    const { values } = tile;
    const distances = new Float64Array(values.length ** 2);
    const found = values.length < 2 ? new Float32Array() : only(await this.#compute(tile, (tf) => [runDistancesOf(tf, values)]));
    const runs = (2 * found.length) / (values.length * (values.length - 1));
    let first = 0;
    for (const [i, a] of values.entries()) {
      for (const [after, b] of values.slice(i + 1).entries()) {
        const j = i + 1 + after;
        const sum = found.subarray(first, first + runs).reduce((total, each) => total + each, 0);
        first += runs;
        const distance = Number.isFinite(sum) ? sum : slowSquaredDistance(a, b);
        distances[i * values.length + j] = distance;
        distances[j * values.length + i] = distance;
      }
    }
    return distances;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }

  async #compute(tile: Tile, combine: (tf: Tfjs<Tensor>) => readonly Tensor[]): Promise<readonly Float32Array[]> {
    if (this.#isClosed) throw new FlareError("aggregate/device-lost", "The device was closed.");
    const backend = this.#tf.getBackend();
    if (backend !== this.#backend) {
      throw new FlareError("aggregate/device-lost", `The program has set TensorFlow.js from ${this.#backend} to ${backend}.`);
    }
    const elements = tile.values.reduce((sum, each) => sum + each.length, 0);
    if (elements > maxTileElements) {
      throw new FlareError("aggregate/device-memory", `A tile of ${elements} elements is larger than ${maxTileElements}.`);
    }
    let results: readonly Tensor[] = [];
    try {
      this.#tf.tidy(() => {
        results = combine(this.#tf).map((result) => this.#tf.keep(result));
      });
      // Reading blocks the thread in tfjs-node; calls made in the same turn have their tiles uploaded and queued before.
      await Promise.resolve();
      return await Promise.all(results.map(async (result) => floatsOf(await result.data())));
    } catch (cause) {
      throw deviceFailure(cause);
    } finally {
      for (const result of results) result.dispose();
    }
  }
}

function floatsOf(data: unknown): Float32Array {
  if (data instanceof Float32Array) return data;
  throw new TypeError("TensorFlow.js gave results of another type than float32");
}

function only(results: readonly (Float32Array | undefined)[]): Float32Array {
  const [result] = results;
  if (result === undefined) throw new FlareError("internal/bug", "A tile without updates was to be combined.");
  return result;
}

function slowSquaredDistance(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, element) => sum + (value - (b[element] ?? Number.NaN)) ** 2, 0);
}
