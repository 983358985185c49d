import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import type { create as createGpu } from "webgpu";

/** Where the package `webgpu` lies. */
export interface WebGpuPackage {
  readonly url: string;
  readonly version: string;
}

/** Looks for the package `webgpu` from here, without loading it. */
export function findWebGpu(): WebGpuPackage | undefined {
  const require = createRequire(import.meta.url);
  try {
    const url = pathToFileURL(require.resolve("webgpu")).href;
    const { version } = require("webgpu/package.json") as { readonly version: string };
    return { url, version };
  } catch {
    return undefined;
  }
}

const place = Symbol.for("@flare-ts/aggregator webgpu");

/**
 * The entry to the GPUs of this machine. There is one for each process, which is never given back: Dawn crashes when it handles
 * its events after this object was collected as garbage, even if every device was destroyed before.
 */
export async function loadWebGpu({ url }: WebGpuPackage): Promise<GPU> {
  const kept = globalThis as { [place]?: GPU };
  const { create } = (await import(url)) as { readonly create: typeof createGpu };
  kept[place] ??= create([]);
  return kept[place];
}
