import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-wasm";
import { beforeAll, describe, expect, it } from "vitest";
import type { Tile } from "../device/combine-device.js";
import type { Tfjs } from "./tfjs.js";
import { tfjsDevice } from "./tfjs-device.js";

beforeAll(async () => {
  await tf.setBackend("wasm");
});

/** What the package brings is what the device needs. */
const tfjs: Tfjs<tf.Tensor> = tf;

const open = (replaced: Partial<Tfjs<tf.Tensor>> = {}): ReturnType<typeof tfjsDevice> =>
  tfjsDevice({ tf: { ...tfjs, ...replaced }, description: "WebAssembly" });

/** Values that follow from their place, of both signs. */
function sampleTile(updates: number, length = 512): Tile {
  const value = (update: number, element: number): number => Math.fround(Math.sin(update * 131 + element) * 10 ** ((element >> 8) - 1));
  return { values: Array.from({ length: updates }, (_, update) => Float32Array.from({ length }, (__, element) => value(update, element))) };
}

describe("a device on TensorFlow.js", () => {
  it("sums in the order of the updates, rounding each product and each sum", async () => {
    const { values } = sampleTile(7);
    const factors = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7];
    const wanted = values
      .map((each, update) => each.map((value) => value * Math.fround(factors[update] ?? 0)))
      .reduce((sum, term) => sum.map((value, element) => value + (term[element] ?? 0)));
    expect(await open().weightedSum({ values }, factors)).toEqual(wanted);
  });

  it("gives back the room of every tensor, over 1,000 calls", async () => {
    const device = open();
    const tile = sampleTile(5);
    const before = { ...tf.memory() };
    for (let round = 0; round < 200; round++) {
      await Promise.all([
        device.weightedSum(tile, [1, 2, 3, 4, 5]),
        device.median(tile),
        device.median(sampleTile(4, 256)),
        device.trimmedMean(tile, 1),
        device.squaredDistances(tile),
      ]);
    }
    expect(tf.memory()).toMatchObject({ numTensors: before.numTensors, numBytes: before.numBytes });
  });

  it("never has more than four rows of a weighted sum on the device", async () => {
    let most = 0;
    const counting: Partial<Tfjs<tf.Tensor>> = {
      mul: (a, b) => {
        const product = tfjs.mul(a, b);
        most = Math.max(most, tf.memory().numBytes);
        return product;
      },
    };
    const before = tf.memory().numBytes;
    await open(counting).weightedSum(sampleTile(30), Array<number>(30).fill(1));
    expect(most - before).toBeLessThanOrEqual(4 * 512 * 4);
  });

  it("queues all calls of a turn before it reads a result", async () => {
    const events: string[] = [];
    const told: Partial<Tfjs<tf.Tensor>> = {
      keep: (tensor) => {
        events.push("queued");
        const data = tensor.data.bind(tensor);
        tensor.data = () => {
          events.push("read");
          return data();
        };
        return tfjs.keep(tensor);
      },
    };
    const device = open(told);
    await Promise.all([device.weightedSum(sampleTile(2), [1, 1]), device.trimmedMean(sampleTile(3), 1)]);
    expect(events).toEqual(["queued", "queued", "read", "read"]);
  });

  it("gives arrays of its own, of a single update too", async () => {
    const tile = sampleTile(1);
    const before = tile.values[0]?.slice();
    const results = [await open().median(tile), await open().trimmedMean(tile, 0), await open().weightedSum(tile, [1])];
    for (const result of results) {
      expect(result).toEqual(before);
      result.fill(7);
    }
    expect(tile.values[0]).toEqual(before);
    expect(await open().squaredDistances(tile)).toEqual(new Float64Array(1));
  });

  it("takes distances that overflow float32", async () => {
    const tile = { values: [2 ** 100, -(2 ** 100), 2 ** 40].map((value) => new Float32Array(256).fill(value)) };
    const got = await open().squaredDistances(tile);
    const [far, near] = [2 ** 210, 256 * (2 ** 100 - 2 ** 40) ** 2];
    expect([...got]).toEqual([0, far, near, far, 0, 256 * (2 ** 100 + 2 ** 40) ** 2, near, 256 * (2 ** 100 + 2 ** 40) ** 2, 0]);
  });

  it.each([
    ["has no room", "Invalid TF_Status: 8\nMessage: OOM when allocating tensor with shape[4] and type float", "aggregate/device-memory"],
    ["has no room for an upload", "Invalid TF_Status: 13\nMessage: Dst tensor is not initialized.", "aggregate/device-memory"],
    ["is gone", "Invalid TF_Status: 13\nMessage: CUDA_ERROR_ECC_UNCORRECTABLE", "aggregate/device-lost"],
  ])("says so when the device %s, and leaves nothing there", async (_, message, code) => {
    const before = tf.memory().numTensors;
    const failing: Partial<Tfjs<tf.Tensor>> = {
      add: () => {
        throw new Error(message);
      },
    };
    await expect(open(failing).weightedSum(sampleTile(3), [1, 1, 1])).rejects.toMatchObject({ code, cause: { message } });
    expect(tf.memory().numTensors).toBe(before);
  });

  it("does not compute on another backend than the one it was opened on", async () => {
    let backend = "wasm";
    const device = open({ getBackend: () => backend });
    backend = "cpu";
    const computing = device.median(sampleTile(2));
    await expect(computing).rejects.toMatchObject({ code: "aggregate/device-lost", message: expect.stringContaining("from wasm to cpu") });
  });

  it("has no exact sums, and says so", async () => {
    expect(open().isExact).toBe(false);
    await expect(open().exactSum(sampleTile(1), [1], new Int32Array(2))).rejects.toMatchObject({ code: "internal/bug" });
  });
});
