import { orderedKeys } from "./ordered-keys.js";
import { kernelHead, type TileKernel } from "./tile-kernel.js";

/**
 * The value of a rank is the largest key that no more than so many keys are below of; it is searched for bit by bit, with a
 * pass over the updates for each. Any number of updates will do, at 32 times the reading of a sorting network.
 */
const rankHead = `
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
`;

/** What `medianKernel` gives, for any number of updates. */
export const rankMedianKernel: TileKernel = {
  key: "rank-median",
  text: `
${rankHead}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let run = runOf(group);
  if (run >= settings.runs) { return; }
  let at = run * 256u + lane;
  let lower = (settings.updates - 1u) / 2u;
  let upper = settings.updates / 2u;
  results[at] = bitsOf(keyOfRank(lower, at));
  if (upper != lower) { results[settings.runs * 256u + at] = bitsOf(keyOfRank(upper, at)); }
}
`,
};

/**
 * What `trimmedMeanKernel` gives, for any number of updates: the values between the two ranks are summed, and of those that
 * equal one of the two as many as are left.
 */
export const rankTrimmedMeanKernel: TileKernel = {
  key: "rank-trimmed-mean",
  text: `
${rankHead}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let run = runOf(group);
  if (run >= settings.runs) { return; }
  let at = run * 256u + lane;
  let cut = settings.words[0];
  let kept = settings.updates - 2u * cut;
  let lower = keyOfRank(cut, at);
  let upper = keyOfRank(settings.updates - cut - 1u, at);
  let lowest = floatOf(lower);
  let highest = floatOf(upper);
  if (lower == upper) {
    results[at] = bitsOf(lower);
    return;
  }
  let isHuge = max(abs(lowest), abs(highest)) > 0x1p112f;
  let scale = select(1.0, 0x1p-16f, isHuge);
  var sum = 0.0;
  var between = 0u;
  var notAbove = 0u;
  for (var update = 0u; update < settings.updates; update++) {
    let key = keyAt(update, at);
    if (key <= lower) { notAbove++; }
    if (key > lower && key < upper) {
      between++;
      sum += floatOf(key) * scale;
    }
  }
  let fromLower = notAbove - cut;
  sum += f32(fromLower) * (lowest * scale) + f32(kept - between - fromLower) * (highest * scale);
  results[at] = bitcast<u32>(sum / f32(kept) * select(1.0, 0x1p16f, isHuge));
}
`,
};
