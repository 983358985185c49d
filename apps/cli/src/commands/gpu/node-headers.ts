import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The folder above `include/node` with the headers that came with the running Node, for node-gyp's `--nodedir`; `undefined`
 * where there are none beside it, and node-gyp has to download them.
 */
export function nodeHeadersFolder(execPath: string = process.execPath): string | undefined {
  const prefix = dirname(dirname(realpathSync(execPath)));
  // The npm package `node` links the program from a package for the platform, which has the headers.
  const platformPackage = join("node_modules", `node-${process.platform}-${process.arch}`);
  const folders = [prefix, join(prefix, platformPackage), join(dirname(dirname(prefix)), platformPackage)];
  return folders.find((folder) => ["node_api.h", "common.gypi"].every((name) => existsSync(join(folder, "include", "node", name))));
}
