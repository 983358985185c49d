import { requireFromRuntime } from "./installed.js";

/** Version of this package; the server and its sites tell each other theirs. */
export const softwareVersion: string = (requireFromRuntime("@flare-ts/runtime/package.json") as { version: string }).version;
