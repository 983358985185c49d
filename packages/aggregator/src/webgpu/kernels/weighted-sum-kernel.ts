import { kernelHead, type TileKernel } from "./tile-kernel.js";

/**
 * Σ factor × value in float32, update after update. A device may fuse a product and its addition into one rounding, and may
 * take subnormal numbers for zero; otherwise each product and each addition is rounded once.
 *
 * Settings: one float32 factor for each update. Results: one float32 for each element.
 */
export const weightedSumKernel: TileKernel = {
  key: "weighted-sum",
  text: () => `
${kernelHead("vec4<u32>")}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let run = runOf(group);
  if (run >= settings.runs) { return; }
  let at = run * 64u + lane;
  let quads = settings.runs * 64u;
  var sum = vec4<f32>();
  for (var update = 0u; update < settings.updates; update++) {
    sum += bitcast<f32>(settings.words[update]) * bitcast<vec4<f32>>(values[update * quads + at]);
  }
  results[at] = bitcast<vec4<u32>>(sum);
}
`,
};
