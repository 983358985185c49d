import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of the built page that is installed beside this command; `undefined` when there is none. */
export function findPage(): string | undefined {
  try {
    const folder = join(dirname(fileURLToPath(import.meta.resolve("@flare-ts/dashboard/package.json"))), "dist");
    return existsSync(join(folder, "index.html")) ? folder : undefined;
  } catch {
    return undefined;
  }
}
