import { encodeSafetensors } from "@flare-ts/aggregator";
import { initialModel, toParams } from "../job/app/custom/model.ts";
import { featureNames } from "../job/app/custom/table.ts";

/** The model before training as a safetensors file; the same bytes on every machine. */
export function encodeInitialModel(): Uint8Array {
  return encodeSafetensors(Object.entries(toParams(initialModel(featureNames.length))));
}
