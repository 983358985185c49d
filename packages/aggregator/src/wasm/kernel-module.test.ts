import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { scalarKernels, simdKernels } from "./generated/kernels.js";
import { KernelMemory } from "./kernel-memory.js";
import { loadKernelModule } from "./kernel-module.js";

const scripts = new URL("../../scripts/", import.meta.url);

it("the embedded kernels, their sources and their compiler are those of the last compilation", async () => {
  const { kernelSeal } = (await import(new URL("kernel-seal.mjs", scripts).href)) as {
    readonly kernelSeal: (kernels: { readonly simd: string; readonly scalar: string }) => Promise<string>;
  };
  const embedded = await readFile(new URL("./generated/kernels.ts", import.meta.url), "utf8");
  expect(embedded.split("\n")).toContain(`// ${await kernelSeal({ simd: simdKernels, scalar: scalarKernels })}`);
  expect(await kernelSeal({ simd: simdKernels, scalar: simdKernels })).not.toBe(
    await kernelSeal({ simd: simdKernels, scalar: scalarKernels }),
  );
});

// Half a minute, of which nothing can come that the hash does not show, unless somebody wrote it by hand.
it.runIf(process.env["FLARE_LARGE"] === "1")("the embedded kernels are what their sources compile to", async () => {
  const script = fileURLToPath(new URL("embed-kernels.mjs", scripts));
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
