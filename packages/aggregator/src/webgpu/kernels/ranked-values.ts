import { orderedKeys } from "./ordered-keys.js";
import { kernelHead } from "./tile-kernel.js";

/**
 * The beginning of a kernel, and of its `main`, that finds the value of a rank among any number of updates: it is the largest
 * key that no more keys than the rank says are below of. The key is found bit by bit, with a pass over the updates for each,
 * so this reads 32 times as much as `sortedValues`.
 */
export const rankedValues = `
${kernelHead("u32")}
${orderedKeys}
fn keyAt(update: u32, at: u32) -> i32 {
  return keyOf(values[update * settings.runs * 256u + at]);
}

fn keyOfRank(rank: u32, at: u32) -> i32 {
  // Counted from the lowest key up, as whole numbers without a sign.
  var found = 0u;
  for (var bit = 0x80000000u; bit > 0u; bit >>= 1u) {
    let tried = found | bit;
    var below = 0u;
    for (var update = 0u; update < settings.updates; update++) {
      below += select(0u, 1u, (bitcast<u32>(keyAt(update, at)) ^ 0x80000000u) < tried);
    }
    found = select(found, tried, below <= rank);
  }
  return bitcast<i32>(found ^ 0x80000000u);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let run = runOf(group);
  if (run >= settings.runs) { return; }
  let at = run * 256u + lane;
  let elements = settings.runs * 256u;`;
