import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

// Found by the name of the package, as this code may have been bundled to somewhere else.
const require = createRequire(import.meta.url);
const manifest = require.resolve("@flare-ts/runtime/package.json");

/** Folder of this package as it is installed, without links on the way. */
export const runtimeFolder: string = dirname(manifest);

/** Finds packages from where this one is installed. */
export const requireFromRuntime: NodeJS.Require = createRequire(pathToFileURL(manifest));

/** Path of a program of this package, by its name below `src`: the built one, also when this file runs from its source. */
export function programPath(name: string): string {
  return join(runtimeFolder, "dist", "programs", `${name}.js`);
}
