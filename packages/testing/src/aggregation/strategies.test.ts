import { ExactJsEngine, WasmEngine } from "@flare-ts/aggregator";
import { afterAll } from "vitest";
import { strategyCompliance } from "./strategy-compliance.js";

const nowMs = (): number => performance.now();

strategyCompliance({ name: "cpu-js-exact", engine: () => new ExactJsEngine({ nowMs }) });

for (const mode of ["exact", "fast", "float64"] as const) {
  const engine = await WasmEngine.create({ nowMs }, { mode, threads: 2 });
  strategyCompliance({ name: engine.name, engine: () => engine, sums: mode === "fast" ? "float32" : "float64" });
  afterAll(() => engine.close());
}
