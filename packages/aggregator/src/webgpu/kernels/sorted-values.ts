import { type Comparator, sortingNetwork } from "../../device/sorting-network.js";
import { orderedKeys } from "./ordered-keys.js";
import { kernelHead } from "./tile-kernel.js";

/** Most values that are sorted in registers; where there are more, `rankedValues` finds the ones that are wanted. */
export const maxSorted = 128;

/**
 * The beginning of a kernel, and of its `main`, that sorts the values of the element `at` by a network: `v0`, `v1` and so on
 * are keys in ascending order, those places at least that are needed.
 */
export function sortedValues(updates: number, needed: (place: number) => boolean): string {
  const loads = Array.from({ length: updates }, (_, update) => `var v${update} = keyOf(values[${update}u * elements + at]);`);
  return `
${kernelHead("u32")}
${orderedKeys}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let run = runOf(group);
  if (run >= settings.runs) { return; }
  let at = run * 256u + lane;
  let elements = settings.runs * 256u;
  ${loads.join("\n  ")}
  ${sortingNetwork(updates, needed).map(stepOf).join("\n  ")}`;
}

function stepOf({ low, high, isLowNeeded, isHighNeeded }: Comparator): string {
  if (!isHighNeeded) return `v${low} = min(v${low}, v${high});`;
  if (!isLowNeeded) return `v${high} = max(v${low}, v${high});`;
  return `{ let low = min(v${low}, v${high}); v${high} = max(v${low}, v${high}); v${low} = low; }`;
}
