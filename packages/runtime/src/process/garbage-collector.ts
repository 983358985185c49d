import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** V8's own collector; what it is not told it decides by itself. */
export type GarbageCollector = (options: { readonly type: "minor" | "major"; readonly flavor?: "last-resort" }) => void;

/** V8 shows its collector to contexts that are made while a flag says so; later ones do not see it. */
export function garbageCollector(): GarbageCollector {
  setFlagsFromString("--expose-gc");
  try {
    return runInNewContext("gc") as GarbageCollector;
  } finally {
    setFlagsFromString("--no-expose-gc");
  }
}
