import { mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildHeader } from "../safetensors/build-header.js";
import { decodeSafetensors, encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { readSafetensorsHeader } from "../safetensors/read-header.js";
import type { Tensor } from "../tensor.js";
import { addScaffoldControls, removeScaffoldControls } from "./control-files.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-controls-"));
});
afterEach(() => rm(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);

const tensors: readonly (readonly [string, Tensor])[] = [
  ["layer.weight", { dtype: "F32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
  ["layer.bias", { dtype: "F16", shape: [3], data: Uint16Array.of(1, 2, 3) }],
  ["bn.num_batches_tracked", { dtype: "I64", shape: [], data: BigInt64Array.of(7n) }],
  ["scale", { dtype: "F64", shape: [], data: Float64Array.of(0.5) }],
];

describe("addScaffoldControls and removeScaffoldControls", () => {
  it("add zeros of the same shape and type for each floating tensor, behind the model, and take them off again", async () => {
    const model = encodeSafetensors(tensors, { made: "here" });
    await writeFile(at("model.safetensors"), model);
    await addScaffoldControls({ source: at("model.safetensors"), outPath: at("first.safetensors"), isDurable: false });
    const first = decodeSafetensors(await readFile(at("first.safetensors")));
    expect([...first.keys()]).toEqual([
      ...tensors.map(([name]) => name),
      "scaffold_c_global.layer.weight",
      "scaffold_c_global.layer.bias",
      "scaffold_c_global.scale",
    ]);
    for (const [name, tensor] of tensors) expect(first.get(name)).toEqual(tensor);
    expect(first.get("scaffold_c_global.layer.weight")).toEqual({ dtype: "F32", shape: [2, 2], data: new Float32Array(4) });
    expect(first.get("scaffold_c_global.layer.bias")).toEqual({ dtype: "F16", shape: [3], data: new Uint16Array(3) });
    expect(first.get("scaffold_c_global.scale")).toEqual({ dtype: "F64", shape: [], data: new Float64Array(1) });
    expect((await readSafetensorsHeader(at("first.safetensors"))).metadata).toEqual({ made: "here" });

    await removeScaffoldControls({ source: at("first.safetensors"), outPath: at("last.safetensors"), isDurable: false });
    expect(await readFile(at("last.safetensors"))).toEqual(Buffer.from(model));
  });

  it("leave nothing behind when they are stopped", async () => {
    await writeFile(at("model.safetensors"), encodeSafetensors(tensors));
    for (const make of [addScaffoldControls, removeScaffoldControls]) {
      const init = { source: at("model.safetensors"), outPath: at("other.safetensors"), isDurable: false, signal: AbortSignal.abort() };
      await expect(make(init)).rejects.toThrow(expect.objectContaining({ code: "internal/aborted" }));
    }
    expect(await readdir(folder)).toEqual(["model.safetensors"]);
  });

  it("refuse a model whose tensor has the name of a control variate", async () => {
    const named = tensors.map(([name, tensor]) => [`scaffold_c_global.${name}`, tensor] as const);
    await writeFile(at("model.safetensors"), encodeSafetensors(named));
    await expect(addScaffoldControls({ source: at("model.safetensors"), outPath: at("first.safetensors") })).rejects.toThrow(
      expect.objectContaining({
        code: "aggregate/tensor-invalid",
        message: expect.stringContaining('tensor "scaffold_c_global.layer.weight" has a name that SCAFFOLD keeps for control variates'),
      }),
    );
    expect(await readdir(folder)).toEqual(["model.safetensors"]);
  });

  it("hold a chunk of a model at a time", async () => {
    const bytes = 256 * 1024 * 1024;
    const { bytes: header } = buildHeader([{ name: "w", dtype: "F32", shape: [bytes / 4] }]);
    const file = await open(at("large.safetensors"), "w");
    await file.write(header);
    await file.truncate(header.byteLength + bytes);
    await file.close();
    const before = process.memoryUsage.rss();
    await addScaffoldControls({ source: at("large.safetensors"), outPath: at("first.safetensors"), isDurable: false });
    await removeScaffoldControls({ source: at("first.safetensors"), outPath: at("last.safetensors"), isDurable: false });
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024);
    expect((await readSafetensorsHeader(at("last.safetensors"))).totalBytes).toBe(header.byteLength + bytes);
  });
});
