import { WasmEngine } from "@flare-ts/aggregator";
import { afterAll } from "vitest";
import { aggregationEngineCompliance } from "./aggregation-engine-compliance.js";
import { serverStateCompliance } from "./server-state-compliance.js";
import { sessionCompliance } from "./session-compliance.js";

for (const mode of ["exact", "fast", "float64"] as const) {
  // The bits of the other modes are the same on any threads, which a test of the aggregator shows.
  for (const threads of mode === "exact" ? [1, 3] : [3]) {
    const engine = await WasmEngine.create({ nowMs: () => performance.now() }, { mode, threads });
    const init = { name: `${engine.name}, ${threads} threads`, engine: () => engine };
    aggregationEngineCompliance({ ...init, sums: mode === "fast" ? "float32" : "float64" });
    // The rules of sessions do not depend on threads.
    if (threads > 1) {
      sessionCompliance(init);
      serverStateCompliance(init);
    }
    afterAll(() => engine.close());
  }
}

const scalar = await WasmEngine.create({ nowMs: () => performance.now() }, { isSimdAllowed: false });
aggregationEngineCompliance({ name: "cpu-wasm-exact without vector instructions", engine: () => scalar });
afterAll(() => scalar.close());
