export { type Dtype, dtypeBytes, isDtype, type Tensor, type TensorData } from "../tensor.js";
export { decodeSafetensors, encodeSafetensors } from "./encode-safetensors.js";
export type { SafetensorsLayout, TensorPlace, TensorSpec } from "./layout.js";
export { parseSafetensorsHeader, readSafetensorsHeader } from "./read-header.js";
export { SafetensorsWriter, type WriteSafetensorsInit, type WrittenFile } from "./safetensors-writer.js";
export { controlledTensor, isScaffoldControl, scaffoldControlPrefix } from "./scaffold-names.js";
export { writeSafetensors } from "./write-safetensors.js";
