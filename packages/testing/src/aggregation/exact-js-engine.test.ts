import { ExactJsEngine } from "@flare-ts/aggregator";
import { aggregationEngineCompliance } from "./aggregation-engine-compliance.js";
import { serverStateCompliance } from "./server-state-compliance.js";
import { sessionCompliance } from "./session-compliance.js";

const js = { name: "cpu-js-exact", engine: () => new ExactJsEngine({ nowMs: () => performance.now() }) };
aggregationEngineCompliance(js);
sessionCompliance(js);
serverStateCompliance(js);
