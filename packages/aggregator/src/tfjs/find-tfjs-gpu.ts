import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The name of TensorFlow.js for NVIDIA's GPUs; an optional peer of this package. */
export const tfjsGpuPackage = "@tensorflow/tfjs-node-gpu";

/** An installed `@tensorflow/tfjs-node-gpu`. */
export interface FoundTfjsGpu {
  /** The package's own folder. */
  readonly folder: string;
  readonly version: string;
  /** Whether the add-on is there; npm leaves the package without one where its install script fails or does not run. */
  readonly hasAddon: boolean;
}

/**
 * Looks for `@tensorflow/tfjs-node-gpu` from each of the folders as Node does for a program there, and loads nothing. The first
 * with an add-on is taken, else the first.
 */
export function findTfjsGpu(folders: readonly string[]): FoundTfjsGpu | undefined {
  const found = folders.flatMap((folder) => {
    const manifest = resolveManifest(folder);
    return manifest === undefined ? [] : [describeFound(manifest)];
  });
  return found.find(({ hasAddon }) => hasAddon) ?? found[0];
}

function resolveManifest(folder: string): string | undefined {
  try {
    return createRequire(join(folder, "package.json")).resolve(`${tfjsGpuPackage}/package.json`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

function describeFound(manifest: string): FoundTfjsGpu {
  const folder = dirname(manifest);
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { readonly version?: unknown };
  // Its versions of Node's interface for add-ons have a folder each.
  const lib = join(folder, "lib");
  const names = existsSync(lib) ? readdirSync(lib).filter((name) => name.startsWith("napi-v")) : [];
  return { folder, version: String(version), hasAddon: names.some((name) => existsSync(join(lib, name, "tfjs_binding.node"))) };
}
