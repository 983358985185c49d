export type {
  AggregationEngine,
  AggregationInit,
  AggregationReport,
  AggregationSession,
  ContributorReport,
  FinishInit,
  FinishProgress,
  ParamsType,
  ServerState,
  TogetherReport,
  Update,
} from "./aggregation-engine.js";
export { type AnnounceScaleInit, announceScale } from "./announce-scale.js";
export {
  type CompressionForm,
  type CompressionReport,
  type CompressUpdateInit,
  compressionForms,
  compressUpdate,
} from "./compression/compress-update.js";
export { type DifferenceUpdateInit, differenceUpdate } from "./compression/difference-update.js";
export {
  type ChosenEngine,
  type CreateEngineComponents,
  type CreateEngineInit,
  createEngine,
  engineNames,
} from "./create-engine.js";
export { type DescribeEnginesInit, describeEngines, type EngineDescription } from "./describe-engines.js";
export type { Workload } from "./device/choose-by-time.js";
export { type CombineDevice, type LentRows, runElements, type Tile } from "./device/combine-device.js";
export { DeviceEngine, type DeviceEngineComponents } from "./device/device-engine.js";
export { type DeviceOpeners, deviceOpeners, type OpenedDevice, softwareGpuVariable } from "./device/device-openers.js";
export { type Probe, type ProbeInChildInit, type ProbeOutcome, probeInChild } from "./device/probe-in-child.js";
export { type ExactScale, maxContributors } from "./exact/exact-scale.js";
export { ExactJsEngine, type ExactJsEngineComponents } from "./js/exact-js-engine.js";
export { metricsWeightedMean, type WeightedMetrics } from "./metrics-weighted-mean.js";
export { type FilterReport, type FilterUpdateInit, filterUpdate, type UpdateFilter } from "./privacy/filter-update.js";
export { type SvtBudget, type SvtSettings, svtBudget } from "./privacy/svt-budget.js";
export { decodeSafetensors, encodeSafetensors } from "./safetensors/encode-safetensors.js";
export type { SafetensorsLayout, TensorPlace, TensorSpec } from "./safetensors/layout.js";
export { parseSafetensorsHeader, readSafetensorsHeader } from "./safetensors/read-header.js";
export { SafetensorsWriter, type WriteSafetensorsInit, type WrittenFile } from "./safetensors/safetensors-writer.js";
export { writeSafetensors } from "./safetensors/write-safetensors.js";
export { addScaffoldControls, type ControlFileInit, removeScaffoldControls } from "./scaffold/control-files.js";
export { type CheckMaskedInit, checkMasked } from "./secure/check-masked.js";
export type { Mask } from "./secure/mask.js";
export { type MaskReport, type MaskUpdateInit, maskUpdate } from "./secure/mask-update.js";
export { defaultMaxWeight, type MaskedRound, maskedBytes } from "./secure/masked-format.js";
export { type MaskedFile, type UnmaskReport, type UnmaskSumsInit, unmaskSums } from "./secure/unmask-sums.js";
export { type CustomStrategy, customStrategy } from "./strategies/custom.js";
export { type DpFedAvgInit, type DpFedAvgSettings, dpFedAvg } from "./strategies/dp-fed-avg.js";
export { fedAvg } from "./strategies/fed-avg.js";
export { type FedAvgMSettings, fedAvgM } from "./strategies/fed-avg-m.js";
export { type FedBuffSettings, fedBuff } from "./strategies/fed-buff.js";
export {
  type FedAdagradSettings,
  type FedAdamSettings,
  type FedOptSettings,
  type FedSgdSettings,
  type FedYogiSettings,
  fedOpt,
} from "./strategies/fed-opt.js";
export { type FedProxSettings, fedProx } from "./strategies/fed-prox.js";
export type { RandomBytes } from "./strategies/gaussian-noise.js";
export { type GeometricMedianSettings, geometricMedian } from "./strategies/geometric-median.js";
export { type KrumSettings, krum, type MultiKrumSettings, multiKrum } from "./strategies/krum.js";
export { coordinateMedian } from "./strategies/median.js";
export { type NormClipSettings, normClip } from "./strategies/norm-clip.js";
export {
  defaultOrders,
  type EpsilonInit,
  epsilonFor,
  epsilonOf,
  type RdpInit,
  rdpOfSampledGaussian,
  type SampledGaussian,
} from "./strategies/rdp-accountant.js";
export {
  type ScaffoldControlSettings,
  type ScaffoldModelSettings,
  type ScaffoldRoundSettings,
  scaffoldControl,
  scaffoldModel,
  scaffoldRound,
} from "./strategies/scaffold.js";
export type {
  Combine,
  CombineValues,
  ContributorFacts,
  ServerStep,
  Share,
  StepBlock,
  Strategy,
  StrategyFacts,
  StrategyNeeds,
  StrategyPart,
} from "./strategies/strategy.js";
export { createStrategy, type StrategyComponents, type StrategyName, strategyNames } from "./strategies/strategy-names.js";
export { type TrimmedMeanSettings, trimmedMean } from "./strategies/trimmed-mean.js";
export { StreamSums, type StreamSumsComponents, type StreamSumsInit } from "./streams/stream-sums.js";
export type { StreamUpdate } from "./streams/stream-update.js";
export { type Dtype, dtypeBytes, isDtype, type Tensor, type TensorData } from "./tensor.js";
export type { FoundTfjsGpu } from "./tfjs/find-tfjs-gpu.js";
export { type OpenedTfjsGpu, openTfjsGpu } from "./tfjs/open-tfjs-gpu.js";
export { type ProbeTfjsGpuInit, probeTfjsGpu, type TfjsGpuProbe } from "./tfjs/probe-tfjs-gpu.js";
export { readTensorFlowBuild, type TensorFlowBuild } from "./tfjs/tensorflow-build.js";
export type { Tfjs, TfTensor } from "./tfjs/tfjs.js";
export { type TfjsDeviceInit, tfjsDevice } from "./tfjs/tfjs-device.js";
export type { TfjsGpuAbsence } from "./tfjs/tfjs-gpu-absence.js";
export { tfjsGpuFolder, tfjsGpuFolders, tfjsGpuFolderVariable } from "./tfjs/tfjs-gpu-folders.js";
export type { SumMode } from "./wasm/sum-mode.js";
export { WasmEngine, type WasmEngineComponents, type WasmEngineInit } from "./wasm/wasm-engine.js";
export { maxThreads } from "./wasm/wasm-parts.js";
export {
  openWebGpuDevice,
  type WebGpuComponents,
  type WebGpuInit,
  type WebGpuObstacle,
  type WebGpuOpening,
} from "./webgpu/open-webgpu-device.js";
