import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { KernelMemory } from "./kernel-memory.js";
import { loadKernelModule } from "./kernel-module.js";

it("the embedded kernels are what their sources compile to", async () => {
  const script = fileURLToPath(new URL("../../scripts/embed-kernels.mjs", import.meta.url));
  await expect(promisify(execFile)(process.execPath, [script, "--check"])).resolves.toMatchObject({ stderr: "" });
});

it("vector instructions are used where there are any, and only where they are wanted", async () => {
  expect(await loadKernelModule()).toMatchObject({ isSimd: true });
  expect(await loadKernelModule(false)).toMatchObject({ isSimd: false });
});

it("the zero that keeps constants in registers is exported: otherwise compilers see through it", async () => {
  const loaded = await loadKernelModule();
  const instance = loaded && new loaded.api.Instance(loaded.module, { env: new KernelMemory(loaded) });
  expect(instance?.exports).toHaveProperty("zero");
});
