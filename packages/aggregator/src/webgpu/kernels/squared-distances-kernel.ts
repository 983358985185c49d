import { kernelHead, type TileKernel } from "./tile-kernel.js";

/** Updates on each side of a block of pairs. */
export const blockSide = 4;
/** Runs whose differences are added up on the device; more are added up in float64 by who calls. */
export const runsInSegment = 16;
/** Words of the results of one block and segment: a sum for each pair, the power of two that they are scaled by, and a rest. */
export const wordsOfBlock = 20;

const lanes = 64;
const sides = [0, 1, 2, 3];

/**
 * Σ ((a - b) × 2^scale)² of 4 × 4 pairs of updates over 4096 elements, in float32. The differences are taken before they are
 * squared, so updates that lie near each other keep their digits. All terms have one sign and each passes 28 roundings at
 * most: 2 in the difference, 4 in the product of four, 16 in the sum of a lane and 6 over the lanes. That bounds the relative
 * error by 2^-19.
 *
 * The scale brings the largest value of the segment to 2^56. Then no square overflows, and a difference counts unless it is
 * below 2^-119 of the largest value.
 *
 * Workgroups: segments, then blocks of rows, then blocks of columns; those below the diagonal do nothing. Settings: none.
 * Results: for each block on or above the diagonal, row after row, and each segment: 16 sums, row after row, and the scale.
 */
export const squaredDistancesKernel: TileKernel = {
  key: "squared-distances",
  text: () => `
${kernelHead("vec4<u32>")}
var<workgroup> largest: atomic<u32>;
var<workgroup> sums: array<vec4<f32>, ${lanes * blockSide}>;

fn bitsAt(update: u32, at: u32) -> vec4<u32> {
  return values[min(update, settings.updates - 1u) * settings.runs * 64u + at];
}

fn largestOf(bits: vec4<u32>) -> u32 {
  let magnitudes = bits & vec4<u32>(0x7fffffffu);
  return max(max(magnitudes.x, magnitudes.y), max(magnitudes.z, magnitudes.w));
}

fn squareOf(difference: vec4<f32>) -> f32 {
  return dot(difference, difference);
}

@compute @workgroup_size(${lanes})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  if (group.z < group.y) { return; }
  let row = group.y * ${blockSide}u;
  let column = group.z * ${blockSide}u;
  let first = group.x * ${runsInSegment * 64}u;
  let end = min(first + ${runsInSegment * 64}u, settings.runs * 64u);

  var largestOfLane = 0u;
  for (var at = first + lane; at < end; at += ${lanes}u) {
    for (var side = 0u; side < ${blockSide}u; side++) {
      largestOfLane = max(largestOfLane, max(largestOf(bitsAt(row + side, at)), largestOf(bitsAt(column + side, at))));
    }
  }
  atomicMax(&largest, largestOfLane);
  workgroupBarrier();
  // Bits of the exponent of 2^(56 - exponent of the largest), which is a normal number.
  let scaleBits = min(309u - max(atomicLoad(&largest) >> 23u, 1u), 254u);
  let scale = bitcast<f32>(scaleBits << 23u);

  ${sides.map((side) => `var sum${side} = vec4<f32>();`).join("\n  ")}
  for (var at = first + lane; at < end; at += ${lanes}u) {
    ${sides.map((side) => `let column${side} = bitcast<vec4<f32>>(bitsAt(column + ${side}u, at)) * scale;`).join("\n    ")}
    ${sides.map((side) => `let row${side} = bitcast<vec4<f32>>(bitsAt(row + ${side}u, at)) * scale;`).join("\n    ")}
    ${sides.map((side) => `sum${side} += vec4<f32>(${sides.map((other) => `squareOf(row${side} - column${other})`).join(", ")});`).join("\n    ")}
  }
  ${sides.map((side) => `sums[lane * ${blockSide}u + ${side}u] = sum${side};`).join("\n  ")}
  workgroupBarrier();
  for (var half = ${lanes / 2}u; half > 0u; half >>= 1u) {
    if (lane < half) {
      ${sides.map((side) => `sums[lane * ${blockSide}u + ${side}u] += sums[(lane + half) * ${blockSide}u + ${side}u];`).join("\n      ")}
    }
    workgroupBarrier();
  }
  if (lane == 0u) {
    let before = group.y * groups.z - group.y * (group.y + 1u) / 2u;
    let at = ((before + group.z) * groups.x + group.x) * ${wordsOfBlock / 4}u;
    ${sides.map((side) => `results[at + ${side}u] = bitcast<vec4<u32>>(sums[${side}]);`).join("\n    ")}
    results[at + ${blockSide}u] = vec4<u32>(scaleBits, 0u, 0u, 0u);
  }
}
`,
};
