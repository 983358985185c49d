import { type Comparator, sortingNetwork } from "../sorting-network.js";
import { orderedKeys } from "./ordered-keys.js";
import { kernelHead, type TileKernel } from "./tile-kernel.js";

/** Most values that are sorted in registers; of more, the ranks are searched for (`rankKernel`). */
export const maxSorted = 64;

/**
 * The value in the middle of each element, or the two in the middle, by a sorting network in registers. Exact to the bit.
 * The mean of two is left to who calls: a device may round it up as well as down, and may lose subnormal numbers.
 *
 * Settings: none. Results: the lower of the middle values of all elements; then, for an even number, the upper ones.
 */
export function medianKernel(updates: number): TileKernel {
  const lower = (updates - 1) >> 1;
  const upper = updates >> 1;
  const network = sortingNetwork(updates, (place) => place === lower || place === upper);
  return {
    key: `median-${updates}`,
    text: `
${sortedHead(updates, network)}
  results[at] = bitsOf(v${lower});
  ${upper === lower ? "" : `results[elements + at] = bitsOf(v${upper});`}
}
`,
  };
}

/**
 * The mean of the values of each element without the `cut` smallest and largest: their sum in float32, in ascending order,
 * divided by their number. It errs by at most n roundings of Σ |value| / n, and may take subnormal numbers for zero. Sums do
 * not overflow: above 2^120 they are made of 256ths.
 *
 * Settings: the cut. Results: one float32 for each element.
 */
export function trimmedMeanKernel(updates: number): TileKernel {
  const network = sortingNetwork(updates, () => true);
  const places = Array.from({ length: updates }, (_, place) => place);
  return {
    key: `trimmed-mean-${updates}`,
    text: `
${sortedHead(updates, network)}
  let first = settings.words[0];
  let last = settings.updates - 1u - first;
  var lowest = v0;
  var highest = v0;
  ${places.map((place) => `lowest = select(lowest, v${place}, ${place}u == first);`).join("\n  ")}
  ${places.map((place) => `highest = select(highest, v${place}, ${place}u == last);`).join("\n  ")}
  let isHuge = max(abs(floatOf(lowest)), abs(floatOf(highest))) > 0x1p120f;
  let scale = select(1.0, 0x1p-8f, isHuge);
  var sum = 0.0;
  ${places.map((place) => `sum += select(0.0, floatOf(v${place}) * scale, ${place}u >= first && ${place}u <= last);`).join("\n  ")}
  results[at] = bitcast<u32>(sum / f32(last - first + 1u) * select(1.0, 0x1p8f, isHuge));
}
`,
  };
}

/** Everything up to the sorted keys v0, v1 and so on of the element `at`. */
function sortedHead(updates: number, network: readonly Comparator[]): string {
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
  ${network.map(stepOf).join("\n  ")}`;
}

function stepOf({ low, high, isLowNeeded, isHighNeeded }: Comparator): string {
  if (!isHighNeeded) return `v${low} = min(v${low}, v${high});`;
  if (!isLowNeeded) return `v${high} = max(v${low}, v${high});`;
  return `{ let low = min(v${low}, v${high}); v${high} = max(v${low}, v${high}); v${low} = low; }`;
}
