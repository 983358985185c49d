import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder with a package in the place of `@tensorflow/tfjs-node-gpu`. */
export interface StandIn {
  readonly folder: string;
  /** The package's own folder. */
  readonly packageFolder: string;
  /** Removes the files, and what this process has loaded of them. */
  remove(): Promise<void>;
}

const require = createRequire(import.meta.url);
const [core, wasm] = ["@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-wasm"].map((name) => JSON.stringify(require.resolve(name)));

/** The text of a package that computes on TensorFlow.js's WebAssembly backend and says what it is told to of its device. */
export function computingPackage(init: { readonly isUsingGpuDevice: boolean; readonly log?: string }): string {
  return `
    const util = require("node:util");
    const tf = require(${core});
    require(${wasm});
    process.stderr.write(${JSON.stringify(init.log ?? "")});
    const backend = { isUsingGpuDevice: ${init.isUsingGpuDevice}, binding: { TF_Version: "2.9.1" } };
    module.exports = {
      ...tf,
      ready: () => tf.setBackend("wasm"),
      backend: () => backend,
      // As in the package itself, where a part of the operations asks for it.
      add: (a, b) => util.isNullOrUndefined(a) || tf.add(a, b),
    };`;
}

/** Makes a folder with a package whose main module is `text`. */
export async function standInTfjsGpu(text: string, hasAddon = true): Promise<StandIn> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "flare-tfjs-")));
  const packageFolder = join(folder, "node_modules", "@tensorflow", "tfjs-node-gpu");
  await mkdir(join(packageFolder, "lib", "napi-v8"), { recursive: true });
  await writeFile(join(packageFolder, "package.json"), '{ "name": "@tensorflow/tfjs-node-gpu", "version": "4.22.0", "main": "index.js" }');
  await writeFile(join(packageFolder, "index.js"), text);
  if (hasAddon) await writeFile(join(packageFolder, "lib", "napi-v8", "tfjs_binding.node"), "");
  return {
    folder,
    packageFolder,
    remove: async () => {
      for (const path of Object.keys(require.cache)) if (path.startsWith(folder)) delete require.cache[path];
      await rm(folder, { recursive: true, force: true });
    },
  };
}
