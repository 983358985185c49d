import { kernelHead, type TileKernel } from "./tile-kernel.js";

/**
 * Σ round(factor × value × 2^gridBits) modulo 2^64, to nearest, ties to even, in whole numbers of 32 bits: WGSL has neither
 * float64 nor 64-bit integers, and its floats may lose subnormal numbers.
 *
 * A value is mantissa × 2^(exponent - 150) and a factor digits × 2^e, of 24 and 29 bits with the highest one set; subnormal
 * mantissas are moved up for that. The product has 52 or 53 bits and is made of four products of 16-bit halves. As a term is
 * below 2^51, the product is always moved to the right, by k places, after 2^(k-1) - 1 and the bit that will be the last were
 * added, which is the rounding. From 54 places on nothing is left of it.
 *
 * A negative term is added as its complement, with 1 as a carry.
 *
 * Settings: gridBits of each run; then digits, with the sign as the highest bit, and e of each update. Results: 64 bits for
 * each element, the lower half first.
 */
export const exactSumKernel: TileKernel = {
  key: "exact-sum",
  text: () => `
${kernelHead("vec4<u32>")}
alias Words = vec4<u32>;
struct Wide { low: Words, high: Words }

fn product(mantissa: Words, digits: u32) -> Wide {
  let a = mantissa & Words(0xffffu);
  let b = mantissa >> Words(16u);
  let c = digits & 0xffffu;
  let d = digits >> 16u;
  let middle = a * d + b * c;
  let lowest = a * c;
  let low = lowest + (middle << Words(16u));
  return Wide(low, b * d + (middle >> Words(16u)) + carryOf(low, lowest));
}

// What adding a part to something gave in excess of 32 bits.
fn carryOf(sum: Words, part: Words) -> Words {
  return select(Words(), Words(1u), sum < part);
}

// The places are 1 to 54. Moving by 32 at once is not defined, hence by 1 and the rest, or the upper half alone.
fn roundedToTheRight(wide: Wide, places: Words) -> Wide {
  let rest = places & Words(31u);
  let isFar = places >= Words(32u);
  let last = (select(wide.low, wide.high, isFar) >> rest) & Words(1u);
  let ones = (Words(1u) << ((places - Words(1u)) & Words(31u))) - Words(1u);
  let belowLow = select(ones, Words(0xffffffffu), places > Words(32u));
  let belowHigh = select(Words(), ones, places > Words(32u));
  let part = wide.low + belowLow;
  let low = part + last;
  let high = wide.high + belowHigh + carryOf(part, belowLow) + carryOf(low, last);
  let near = (low >> rest) | ((high << Words(1u)) << (Words(31u) - rest));
  return Wide(select(near, high >> rest, isFar), select(high >> rest, Words(), isFar));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let run = runOf(group);
  if (run >= settings.runs) { return; }
  let at = run * 64u + lane;
  let quads = settings.runs * 64u;
  let gridBits = bitcast<i32>(settings.words[run]);
  var sum = Wide(Words(), Words());
  for (var update = 0u; update < settings.updates; update++) {
    let factor = settings.words[settings.runs + 2u * update];
    let exponent = bitcast<i32>(settings.words[settings.runs + 2u * update + 1u]);
    let bits = values[update * quads + at];
    let biased = (bits >> Words(23u)) & Words(0xffu);
    let short = (bits & Words(0x7fffffu)) | select(Words(0x800000u), Words(), biased == Words());
    let missing = countLeadingZeros(short) - Words(8u);
    let exact = product(short << missing, factor & 0x7fffffffu);
    let right = vec4<i32>(missing) - vec4<i32>(max(biased, Words(1u))) + (150 - exponent - gridBits);
    let term = roundedToTheRight(exact, Words(clamp(right, vec4<i32>(1), vec4<i32>(54))));
    let sign = (bits ^ Words(factor)) >> Words(31u);
    let flip = Words() - sign;
    let termLow = term.low ^ flip;
    let termHigh = term.high ^ flip;
    let partLow = sum.low + termLow;
    let low = partLow + sign;
    sum = Wide(low, sum.high + termHigh + carryOf(partLow, termLow) + carryOf(low, sign));
  }
  results[2u * at] = Words(sum.low.x, sum.high.x, sum.low.y, sum.high.y);
  results[2u * at + 1u] = Words(sum.low.z, sum.high.z, sum.low.w, sum.high.w);
}
`,
};
