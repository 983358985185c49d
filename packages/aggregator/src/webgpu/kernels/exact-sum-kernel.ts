import { kernelHead, type TileKernel } from "./tile-kernel.js";

/**
 * Σ round(factor × value × 2^gridBits) modulo 2^64, to nearest, ties to even, in whole numbers of 32 bits: WGSL has neither
 * float64 nor 64-bit integers, and its floats may lose subnormal numbers.
 *
 * A value is mantissa × 2^(exponent - 150) with 24 bits, a factor digits × 2^e with 29. Their product has 53 bits and is made
 * of four products of 16-bit halves. It is then moved by the sum of the exponents and gridBits:
 *
 * - to the left by at most 51 places, because a term is below 2^51;
 * - to the right by k places after 2^(k-1) - 1 and the bit that will be the last were added, which is the rounding; from 54
 *   places on nothing is left of 53 bits.
 *
 * A negative term is added as its complement, with 1 as a carry.
 *
 * Settings: gridBits of each run; then digits, with the sign as the highest bit, and e of each update. Results: 64 bits for
 * each element, the lower half first.
 */
export const exactSumKernel: TileKernel = {
  key: "exact-sum",
  text: `
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

// The places are below 64. Moving by 32 at once is not defined, hence by 1 and the rest.
fn toTheLeft(wide: Wide, places: Words) -> Wide {
  let rest = places & Words(31u);
  let high = (wide.high << rest) | ((wide.low >> Words(1u)) >> (Words(31u) - rest));
  let low = wide.low << rest;
  let isFar = places >= Words(32u);
  return Wide(select(low, Words(), isFar), select(high, low, isFar));
}

fn toTheRight(wide: Wide, places: Words) -> Wide {
  let rest = places & Words(31u);
  let low = (wide.low >> rest) | ((wide.high << Words(1u)) << (Words(31u) - rest));
  let high = wide.high >> rest;
  let isFar = places >= Words(32u);
  return Wide(select(low, high, isFar), select(high, Words(), isFar));
}

// The places are 1 to 54.
fn roundedToTheRight(wide: Wide, places: Words) -> Wide {
  let last = toTheRight(wide, places).low & Words(1u);
  let half = toTheLeft(Wide(Words(1u), Words()), places - Words(1u));
  let below = Wide(half.low - Words(1u), half.high - select(Words(), Words(1u), half.low == Words()));
  let low = wide.low + below.low;
  let rounded = low + last;
  let high = wide.high + below.high + carryOf(low, below.low) + carryOf(rounded, last);
  return toTheRight(Wide(rounded, high), places);
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
    let mantissa = (bits & Words(0x7fffffu)) | select(Words(0x800000u), Words(), biased == Words());
    let exact = product(mantissa, factor & 0x7fffffffu);
    let shift = vec4<i32>(max(biased, Words(1u))) + (exponent + gridBits - 150);
    let left = toTheLeft(exact, Words(clamp(shift, vec4<i32>(), vec4<i32>(63))));
    let right = roundedToTheRight(exact, Words(clamp(-shift, vec4<i32>(1), vec4<i32>(54))));
    let isLeft = shift >= vec4<i32>();
    let sign = (bits ^ Words(factor)) >> Words(31u);
    let flip = Words() - sign;
    let termLow = select(right.low, left.low, isLeft) ^ flip;
    let termHigh = select(right.high, left.high, isLeft) ^ flip;
    let partLow = sum.low + termLow;
    let low = partLow + sign;
    sum = Wide(low, sum.high + termHigh + carryOf(partLow, termLow) + carryOf(low, sign));
  }
  results[2u * at] = Words(sum.low.x, sum.high.x, sum.low.y, sum.high.y);
  results[2u * at + 1u] = Words(sum.low.z, sum.high.z, sum.low.w, sum.high.w);
}
`,
};
