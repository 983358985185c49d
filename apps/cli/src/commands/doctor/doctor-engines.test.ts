import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FlareFolder, flareFolder } from "../../flare-process.test-support.js";

let folder: FlareFolder;
beforeEach(async () => {
  folder = await flareFolder();
});
afterEach(() => folder.remove());

describe("flare doctor engines", () => {
  it("says what runs here, and of what does not why and what to do", async () => {
    const { exitCode, stdout, stderr } = await folder.run("doctor", "engines");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^flare \d+\.\d+\.\d+ on Node \d+\.\d+\.\d+, \w+ \w+$/m);
    expect(stdout).toMatch(/^wasm: runs on cpu, WebAssembly with vector instructions, \d threads?$/m);
    expect(stdout).toMatch(/^js: runs on cpu, plain JavaScript, 1 thread$/m);
    expect(stdout).toMatch(/^gpu: does not run here\. @tensorflow\/tfjs-node-gpu is not found from .*flare-ts\/tfjs-gpu, .*\.$/m);
    expect(stdout).toMatch(/^ {2}What to do: Run `flare gpu setup --tensorflow /m);
  });

  it("says the same to scripts", async () => {
    const data = (await folder.data("doctor", "engines")) as { readonly engines: readonly { readonly engine: string }[] };
    expect(data).toMatchObject({ flare: expect.any(String), node: expect.any(String), platform: process.platform, arch: process.arch });
    expect(data.engines).toContainEqual({
      engine: "js",
      is_available: true,
      device: "cpu, plain JavaScript, 1 thread",
      reason: null,
      advice: null,
    });
    expect(data.engines).toContainEqual({
      engine: "gpu",
      is_available: false,
      device: null,
      reason: expect.stringContaining("is not found"),
      advice: expect.stringContaining("flare gpu setup --stock"),
    });
  });

  it("outlives a package that ends its process", async () => {
    const place = join(folder.path, "node_modules", "@tensorflow", "tfjs-node-gpu");
    await mkdir(join(place, "lib", "napi-v8"), { recursive: true });
    await writeFile(join(place, "package.json"), '{ "version": "4.22.0", "main": "index.js" }');
    await writeFile(join(place, "index.js"), "process.abort();");
    await writeFile(join(place, "lib", "napi-v8", "tfjs_binding.node"), "");
    const { exitCode, stdout } = await folder.run("doctor", "engines");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^gpu: does not run here\. .* does not work: .* ended by SIGABRT/m);
  });
});
