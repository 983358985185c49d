import { WasmEngine } from "@flare-ts/aggregator";
import { afterAll } from "vitest";
import { aggregationEngineCompliance } from "./aggregation-engine-compliance.js";

for (const mode of ["exact", "fast", "float64"] as const) {
  for (const threads of [1, 3]) {
    const engine = await WasmEngine.create({ nowMs: () => performance.now() }, { mode, threads });
    const sums = mode === "fast" ? "float32" : "float64";
    aggregationEngineCompliance({ name: `${engine.name}, ${threads} threads`, engine: () => engine, sums });
    afterAll(() => engine.close());
  }
}

const scalar = await WasmEngine.create({ nowMs: () => performance.now() }, { isSimdAllowed: false });
aggregationEngineCompliance({ name: "cpu-wasm-exact without vector instructions", engine: () => scalar });
afterAll(() => scalar.close());
