export type {
  AggregationEngine,
  AggregationInit,
  AggregationReport,
  AggregationSession,
  ContributorReport,
  FinishInit,
  FinishProgress,
  ParamsType,
  Update,
} from "./aggregation-engine.js";
export { type AnnounceScaleInit, announceScale } from "./announce-scale.js";
export { ExactJsEngine, type ExactJsEngineComponents } from "./cpu/exact-js-engine.js";
export { type ChosenEngine, type CreateEngineInit, createEngine, engineNames } from "./create-engine.js";
export { type CombineDevice, runElements, type Tile } from "./device/combine-device.js";
export { type Probe, type ProbeInChildInit, type ProbeOutcome, probeInChild } from "./device/probe-in-child.js";
export { type ExactScale, maxContributors } from "./exact/exact-scale.js";
export { metricsWeightedMean, type WeightedMetrics } from "./metrics-weighted-mean.js";
export { decodeSafetensors, encodeSafetensors } from "./safetensors/encode-safetensors.js";
export type { SafetensorsLayout, TensorPlace, TensorSpec } from "./safetensors/layout.js";
export { parseSafetensorsHeader, readSafetensorsHeader } from "./safetensors/read-header.js";
export { type WriteSafetensorsInit, type WrittenFile, writeSafetensors } from "./safetensors/write-safetensors.js";
export { type FedAvgStrategy, fedAvg, type Strategy } from "./strategy.js";
export { type Dtype, dtypeBytes, isDtype, type Tensor, type TensorData } from "./tensor.js";
export type { SumMode } from "./wasm/sum-mode.js";
export { maxThreads, WasmEngine, type WasmEngineComponents, type WasmEngineInit } from "./wasm/wasm-engine.js";
export {
  openWebGpuDevice,
  type WebGpuComponents,
  type WebGpuInit,
  type WebGpuObstacle,
  type WebGpuOpening,
} from "./webgpu/open-webgpu-device.js";
