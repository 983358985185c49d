import { createRequire } from "node:module";

/** Version of this package, as `flare --version` prints it. */
export function softwareVersion(): string {
  return (createRequire(import.meta.url)("@flare-ts/cli/package.json") as { version: string }).version;
}
