import type { UpdateFilter } from "@flare-ts/aggregator";
import { controlledTensor } from "@flare-ts/aggregator/safetensors";
import type { PrivacyFilter } from "@flare-ts/contracts";
import { isNamedBy, type UpdateFilterSettings } from "@flare-ts/contracts/job";

/** A filter of tensors as the aggregator knows it; `undefined` for one of what goes beside them. */
export function updateFilterOf(
  filter: PrivacyFilter | UpdateFilterSettings,
  /** Cryptographic random bytes, which the next call may write over. */
  randomBytes: (count: number) => Uint8Array,
): UpdateFilter | undefined {
  switch (filter.kind) {
    case "ExcludeVars":
      return { kind: "exclude", isExcluded: withControls(isIn(filter.names)) };
    case "PercentilePrivacy":
      return { kind: "percentile", percentile: filter.percentile, gamma: filter.gamma };
    case "ClipNorm":
      return { kind: "clip-norm", maxNorm: filter.maxNorm };
    case "GaussianPrivacy":
      return { kind: "gaussian", clipNorm: filter.clipNorm, noiseMultiplier: filter.noiseMultiplier, randomBytes };
    case "SVTPrivacy":
      return { ...filter, kind: "svt", randomBytes };
    case "AllowMetrics":
    case "FixedWeight":
    case "AllowPsi":
    case "MinCountCleanser":
    case "AddNoiseToMinMax":
    case "HistogramBinsCleanser":
    default:
      return undefined;
  }
}

/** The same for control variates of SCAFFOLD too: one says as much of the data as the change of its tensor does. */
function withControls(isExcluded: (tensor: string) => boolean): (tensor: string) => boolean {
  return (tensor) => isExcluded(tensor) || isExcluded(controlledTensor(tensor));
}

function isIn(written: readonly string[] | RegExp | string): (tensor: string) => boolean {
  // What came from another process is the text of an expression.
  const names = typeof written === "string" ? new RegExp(written, "u") : written;
  return (tensor) => isNamedBy(names, tensor);
}
