import { ExactJsEngine } from "@flare-ts/aggregator";
import { aggregationEngineCompliance } from "./aggregation-engine-compliance.js";

aggregationEngineCompliance({ name: "cpu-js-exact", engine: () => new ExactJsEngine({ nowMs: () => performance.now() }) });
