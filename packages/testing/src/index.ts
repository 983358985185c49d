export { type AggregationEngineComplianceInit, aggregationEngineCompliance } from "./aggregation/aggregation-engine-compliance.js";
export {
  type CombineDeviceComplianceInit,
  combineDeviceCompliance,
} from "./aggregation/combine-device-compliance.js";
export type { DeviceTolerance } from "./aggregation/device-faults.js";
export { type StrategyComplianceInit, strategyCompliance } from "./aggregation/strategy-compliance.js";
export { type AddOneJobInit, letGo, writeAddOneJob } from "./federation/add-one-job.js";
export { eventually } from "./federation/eventually.js";
export { adminName, type CreateFederationInit, createFederation, type Federation } from "./federation/federation.js";
export { followJob } from "./federation/follow-job.js";
export { descendantsOf, type ProcessEntry, processesWith } from "./federation/process-tree.js";
export { modelStoreCompliance } from "./model-store/model-store-compliance.js";
export { serverStoreCompliance } from "./server-store/server-store-compliance.js";
export { siteStoreCompliance } from "./site-store/site-store-compliance.js";
export { provideSoftwareGpu, type SoftwareGpu } from "./software-gpu/provide-software-gpu.js";
