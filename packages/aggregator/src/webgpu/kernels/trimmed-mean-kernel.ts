import { rankedValues } from "./ranked-values.js";
import { maxSorted, sortedValues } from "./sorted-values.js";
import type { TileKernel } from "./tile-kernel.js";

/**
 * The mean of the values of each element without the `cut` smallest and largest: the sum of the other k in float32, times
 * 1 / k. It passes k + 1 roundings at most, and subnormal numbers may be taken for zero. No sum overflows: where a value is
 * huge, parts of the values are summed.
 *
 * Settings: the cut, and the float32 next to 1 / k. Results: one float32 for each element.
 */
export function trimmedMeanKernel(updates: number): TileKernel {
  return updates > maxSorted ? byRank : bySorting(updates);
}

function bySorting(updates: number): TileKernel {
  const places = Array.from({ length: updates }, (_, place) => place);
  return {
    key: `trimmed-mean-${updates}`,
    text: () => `
${sortedValues(updates, () => true)}
  let first = settings.words[0];
  let last = settings.updates - 1u - first;
  var lowest = v0;
  var highest = v0;
  ${places.map((place) => `lowest = select(lowest, v${place}, ${place}u == first);`).join("\n  ")}
  ${places.map((place) => `highest = select(highest, v${place}, ${place}u == last);`).join("\n  ")}
  let isHuge = max(abs(floatOf(lowest)), abs(floatOf(highest))) > 0x1p120f;
  let part = select(1.0, 0x1p-8f, isHuge);
  var sum = 0.0;
  ${places.map((place) => `sum += select(0.0, floatOf(v${place}) * part, ${place}u >= first && ${place}u <= last);`).join("\n  ")}
  results[at] = bitcast<u32>(sum * bitcast<f32>(settings.words[1]) * select(1.0, 0x1p8f, isHuge));
}
`,
  };
}

/** Sums what lies between the two outermost values that are kept, and as many of these as are left. */
const byRank: TileKernel = {
  key: "trimmed-mean",
  text: () => `
${rankedValues}
  let cut = settings.words[0];
  let kept = settings.updates - 2u * cut;
  let lower = keyOfRank(cut, at);
  let upper = keyOfRank(settings.updates - cut - 1u, at);
  if (lower == upper) {
    results[at] = bitsOf(lower);
    return;
  }
  let isHuge = max(abs(floatOf(lower)), abs(floatOf(upper))) > 0x1p112f;
  let part = select(1.0, 0x1p-16f, isHuge);
  var sum = 0.0;
  var between = 0u;
  var notAbove = 0u;
  for (var update = 0u; update < settings.updates; update++) {
    let key = keyAt(update, at);
    notAbove += select(0u, 1u, key <= lower);
    if (key > lower && key < upper) {
      between++;
      sum += floatOf(key) * part;
    }
  }
  let fromLower = notAbove - cut;
  sum += f32(fromLower) * (floatOf(lower) * part) + f32(kept - between - fromLower) * (floatOf(upper) * part);
  results[at] = bitcast<u32>(sum * bitcast<f32>(settings.words[1]) * select(1.0, 0x1p16f, isHuge));
}
`,
};
