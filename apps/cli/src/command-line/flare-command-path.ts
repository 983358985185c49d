import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Path of the `flare` command of this package, for programs that start it with the Node that they run on. */
export function flareCommandPath(): string {
  return join(dirname(createRequire(import.meta.url).resolve("@flare-ts/cli/package.json")), "dist", "flare.js");
}
