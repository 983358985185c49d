import { createRequire } from "node:module";

/** Version of this package; the server and its sites tell each other theirs. */
export const softwareVersion: string = (createRequire(import.meta.url)("../package.json") as { version: string }).version;
