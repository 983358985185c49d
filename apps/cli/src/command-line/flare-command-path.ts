import { fileURLToPath } from "node:url";

/** Path of the `flare` command of this package, for programs that start it with the Node that they run on. */
export function flareCommandPath(): string {
  return fileURLToPath(new URL("../flare.js", import.meta.url));
}
