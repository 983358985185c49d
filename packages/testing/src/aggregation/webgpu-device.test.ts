import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type CombineDevice, openWebGpuDevice, type Probe, probeInChild, runElements, type Tile } from "@flare-ts/aggregator";
import { describe, expect, it } from "vitest";
import { provideGpu } from "../software-gpu/provide-gpu.js";
import { combineDeviceCompliance } from "./combine-device-compliance.js";
import { lendingDeviceCompliance } from "./lending-device-compliance.js";
import { onceEach } from "./once-each.js";
import { numbersFrom, trainedTile } from "./sample-tiles.js";
import { watchGpuBuffers } from "./watch-gpu-buffers.test-support.js";

const gpu = await provideGpu();

const trials = onceEach<ReturnType<Probe>>();

/** Opens a device by one trial of the driver for all of them; the programs below have it tried anew. */
async function open(): Promise<CombineDevice> {
  const probe: Probe = (init) => trials(JSON.stringify(init), () => probeInChild(init));
  const opening = await openWebGpuDevice({ probe }, { isSoftwareAllowed: true });
  if (opening.kind === "unavailable") throw new Error(opening.reason);
  return opening.device;
}

const place = gpu.isSoftware ? "SwiftShader" : "the machine's GPU";

describe.skipIf(gpu.kind === "missing")(`on ${place}${gpu.kind === "missing" ? `: ${gpu.reason}` : ""}`, async () => {
  const buffers = watchGpuBuffers();
  const tile = trainedTile(numbersFrom(1), 4, 64);

  combineDeviceCompliance({
    name: "webgpu",
    open,
    isExact: true,
    tolerance: { distanceError: 2 ** -19 },
    heldBytes: () => buffers.heldBytes,
  });

  lendingDeviceCompliance({ name: "webgpu", open });

  describe("webgpu", () => {
    it("keeps the buffers of three calls at most, however many are under way, and none when it rests", async () => {
      const device = await open();
      device.rest?.();
      expect(buffers.heldBytes).toBe(0);
      await device.median(tile);
      const bytesOfCall = buffers.heldBytes;
      buffers.mostBytes = 0;
      await Promise.all(Array.from({ length: 20 }, () => device.median(tile)));
      expect(bytesOfCall).toBeGreaterThan(0);
      expect(buffers.mostBytes).toBe(3 * bytesOfCall);
      const underWay = device.median(tile);
      device.rest?.();
      await underWay;
      expect(buffers.heldBytes).toBe(bytesOfCall);
      await device.close();
      expect(buffers.heldBytes).toBe(0);
    });

    // A GPU has room for these buffers.
    it.runIf(gpu.isSoftware)("says that there is no room when the driver has none, keeps nothing, and goes on", async () => {
      const device = await open();
      const before = await device.median(tile);
      device.rest?.();
      // SwiftShader promises buffers of 1 GiB, and has none.
      buffers.forcedBytes = 2 ** 30;
      const calls = Promise.allSettled([
        device.median(tile),
        device.squaredDistances(tile),
        device.trimmedMean(tile, 1),
        device.median(tile),
      ]);
      const outcomes = await calls.finally(() => {
        buffers.forcedBytes = undefined;
      });
      expect(outcomes).toMatchObject(outcomes.map(() => ({ status: "rejected", reason: { code: "aggregate/device-memory" } })));
      expect(buffers.heldBytes).toBe(0);
      expect(await device.median(tile)).toEqual(before);
      await device.close();
    });

    it.runIf(gpu.isSoftware)("leaves rows that it has lent as they are when there is no room for the call", async () => {
      const device = await open();
      const before = await device.median(tile);
      device.rest?.();
      const lent = await device.lend?.(4, 64 * runElements);
      for (const [i, row] of lent?.values.entries() ?? []) row.set(tile.values[i] ?? []);
      buffers.forcedBytes = 2 ** 30;
      const refused = device.median(lent as Tile).finally(() => {
        buffers.forcedBytes = undefined;
      });
      await expect(refused).rejects.toMatchObject({ code: "aggregate/device-memory" });
      expect(lent?.values).toEqual(tile.values);
      expect(await device.median(lent as Tile)).toEqual(before);
      lent?.release();
      await device.close();
      expect(buffers.heldBytes).toBe(0);
    });

    it("says that the device is lost, to calls under way and to later ones, and can be closed", async () => {
      const device = await open();
      await device.median(tile);
      const calls = Array.from({ length: 6 }, () => device.median(tile));
      buffers.lastDevice?.destroy();
      const outcomes = await Promise.allSettled(calls);
      expect(outcomes.at(-1)).toMatchObject({ status: "rejected", reason: { code: "aggregate/device-lost" } });
      await expect(device.squaredDistances(tile)).rejects.toMatchObject({ code: "aggregate/device-lost" });
      await device.close();
      expect(buffers.heldBytes).toBe(0);
    });

    it.runIf(gpu.isSoftware)("does not take a driver in software unless that is allowed", async () => {
      expect(await openWebGpuDevice({ probe: probeInChild })).toMatchObject({ kind: "unavailable", why: "software-adapter" });
    });

    it("says what the driver wrote when there is none", async () => {
      const environment = { VK_ICD_FILENAMES: "/no/such/driver.json", VK_DRIVER_FILES: "/no/such/driver.json" };
      const { stdout } = await runProgram("console.log(JSON.stringify(await open()));", [], environment);
      expect(JSON.parse(stdout)).toMatchObject({ kind: "unavailable", why: "no-adapter" });
    });

    it.each([
      ["closed", "await device.close();"],
      ["left open", ""],
    ])("lets the process end when it is %s", async (_, ending) => {
      const { stdout } = await runProgram(`const { device } = await open(); console.log((await device.median(tile))[0]); ${ending}`);
      expect(stdout).toBe("2\n");
    });

    it("survives the collection of garbage, and its own end, in one process", async () => {
      const program = `
        for (let i = 0; i < 3; i++) {
          const { device } = await open();
          for (let call = 0; call < 20; call++) { await device.median(tile); gc(); }
          await device.close();
          for (let turn = 0; turn < 20; turn++) { gc(); await new Promise((resolve) => setImmediate(resolve)); }
        }
        console.log("done");
      `;
      expect((await runProgram(program, ["--expose-gc"])).stdout).toBe("done\n");
    });
  });
});

/** Runs a program that can `open` a device and has a `tile` whose medians are 2. */
function runProgram(program: string, flags: readonly string[] = [], environment: NodeJS.ProcessEnv = {}): Promise<{ stdout: string }> {
  const head = `
    const { openWebGpuDevice, probeInChild } = await import(${JSON.stringify(import.meta.resolve("@flare-ts/aggregator"))});
    const open = () => openWebGpuDevice({ probe: probeInChild }, { isSoftwareAllowed: true });
    const tile = { values: [1, 2, 3].map((value) => new Float32Array(256).fill(value)) };
  `;
  return promisify(execFile)(process.execPath, [...flags, "--input-type=module", "--eval", head + program], {
    env: { ...process.env, ...environment },
  });
}
