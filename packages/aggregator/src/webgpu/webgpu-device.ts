import { FlareError, limits } from "@flare-ts/contracts/errors";
import { type CombineDevice, type LentRows, runElements, type Tile } from "../device/combine-device.js";
import { exactFactors } from "./exact-factors.js";
import { exactSumKernel } from "./kernels/exact-sum-kernel.js";
import { medianKernel } from "./kernels/median-kernel.js";
import { squaredDistancesKernel } from "./kernels/squared-distances-kernel.js";
import { runsInRow, type TileKernel } from "./kernels/tile-kernel.js";
import { trimmedMeanKernel } from "./kernels/trimmed-mean-kernel.js";
import { weightedSumKernel } from "./kernels/weighted-sum-kernel.js";
import { distanceGrid, sumDistances } from "./sum-distances.js";
import type { TileRunner } from "./tile-runner.js";

/**
 * A GPU, by WebGPU. Exact sums and medians have every bit of the rule. In float32, with u = 2^-24 and n updates:
 *
 * - a weighted sum errs by at most (n + 1) u Σ |factor × value|;
 * - a trimmed mean of k kept values by at most (k + 1) u times the mean of their |value|, where the CPU's errs by u;
 * - a squared distance by 2^-19 of itself.
 *
 * Subnormal numbers may count as zero in these three. A device that rounds otherwise than to the nearest, as WGSL permits and
 * none is known to do, errs by twice as much.
 */
export class WebGpuDevice implements CombineDevice {
  readonly name = "webgpu";
  readonly device: string;
  /** 32 MiB: an upload takes milliseconds, much longer than a call's overhead, and the buffers of several calls stay small. */
  readonly maxTileElements: number = limits.webgpuTileElements;
  readonly isExact = true;
  readonly #runner: TileRunner;

  constructor(components: { readonly runner: TileRunner }, init: { readonly device: string }) {
    this.#runner = components.runner;
    this.device = init.device;
  }

  lend(updates: number, elements: number): Promise<LentRows | undefined> {
    return this.#runner.lend(updates, elements);
  }

  async weightedSum(tile: Tile, factors: readonly number[], into?: ArrayBuffer): Promise<Float32Array> {
    const elements = this.#elementsOf(tile, factors);
    const sums = await this.#combine(weightedSumKernel, tile, Float32Array.from(factors), 4 * elements, into);
    return new Float32Array(sums, 0, elements);
  }

  async exactSum(tile: Tile, factors: readonly number[], gridBits: Int32Array, into?: ArrayBuffer): Promise<BigInt64Array> {
    const elements = this.#elementsOf(tile, factors);
    if (gridBits.length !== elements / runElements) throw new RangeError("there is not one grid for each run");
    const words = new Int32Array(gridBits.length + 2 * factors.length);
    words.set(gridBits);
    words.set(exactFactors(factors), gridBits.length);
    return new BigInt64Array(await this.#combine(exactSumKernel, tile, words, 8 * elements, into), 0, elements);
  }

  async median(tile: Tile, into?: ArrayBuffer): Promise<Float32Array> {
    const updates = tile.values.length;
    const elements = this.#elementsOf(tile);
    const isOdd = updates % 2 === 1;
    const middles = await this.#combine(medianKernel(updates), tile, new Uint32Array(0), (isOdd ? 4 : 8) * elements, into);
    const lower = new Float32Array(middles, 0, elements);
    return isOdd ? lower : meansOf(lower, new Float32Array(middles, 4 * elements, elements));
  }

  async trimmedMean(tile: Tile, cut: number, into?: ArrayBuffer): Promise<Float32Array> {
    const updates = tile.values.length;
    const elements = this.#elementsOf(tile);
    if (!Number.isInteger(cut) || cut < 0 || 2 * cut >= updates) throw new RangeError(`${cut} cannot be cut off both ends of ${updates}`);
    const words = Uint32Array.of(cut, bitsOf(1 / (updates - 2 * cut)));
    return new Float32Array(await this.#combine(trimmedMeanKernel(updates), tile, words, 4 * elements, into), 0, elements);
  }

  async squaredDistances(tile: Tile): Promise<Float64Array> {
    const runs = this.#elementsOf(tile) / runElements;
    const grid = distanceGrid(tile.values.length, runs);
    const sums = await this.#runner.run({
      kernel: squaredDistancesKernel,
      values: tile.values,
      runs,
      words: new Uint8Array(),
      resultBytes: grid.resultBytes,
      workgroups: grid.workgroups,
    });
    return sumDistances(sums, grid);
  }

  rest(): void {
    this.#runner.rest();
  }

  close(): Promise<void> {
    return this.#runner.close();
  }

  #combine(
    kernel: TileKernel,
    { values }: Tile,
    words: ArrayBufferView,
    resultBytes: number,
    into: ArrayBuffer | undefined,
  ): Promise<ArrayBuffer> {
    const runs = (values[0]?.length ?? 0) / runElements;
    return this.#runner.run({
      kernel,
      values,
      runs,
      words: new Uint8Array(words.buffer, words.byteOffset, words.byteLength),
      resultBytes,
      into,
      workgroups: [Math.min(runs, runsInRow), Math.ceil(runs / runsInRow), 1],
    });
  }

  /** Elements of each update. @throws `aggregate/device-memory`, RangeError for what is no tile */
  #elementsOf({ values }: Tile, factors?: readonly number[]): number {
    const elements = values[0]?.length ?? 0;
    if (elements === 0 || elements % runElements !== 0) throw new RangeError(`a tile of ${elements} elements is not made of whole runs`);
    if (values.some((each) => each.length !== elements)) throw new RangeError("the updates of a tile have different lengths");
    if (factors !== undefined && factors.length !== values.length) throw new RangeError("there is not one factor for each update");
    if (elements * values.length > this.maxTileElements) {
      throw new FlareError("aggregate/device-memory", `A tile has ${this.maxTileElements} elements at most.`, {
        facts: { device: this.device, elements: elements * values.length },
      });
    }
    return elements;
  }
}

/** The means of pairs, each rounded once: a sum of two float32 that is rounded to float64 first comes out the same. */
function meansOf(lower: Float32Array, upper: Float32Array): Float32Array {
  const means = new Float32Array(lower.length);
  for (let i = 0; i < means.length; i++) means[i] = ((lower[i] as number) + (upper[i] as number)) / 2;
  return means;
}

function bitsOf(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0] as number;
}
