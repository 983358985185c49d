import { rankedValues } from "./ranked-values.js";
import { maxSorted, sortedValues } from "./sorted-values.js";
import type { TileKernel } from "./tile-kernel.js";

/**
 * The value in the middle of each element, or the two in the middle. Exact to the bit. The mean of two is left to who calls:
 * a device may round it up as well as down, and may lose subnormal numbers.
 *
 * Settings: none. Results: the lower of the middle values of all elements; then, for an even number, the upper ones.
 */
export function medianKernel(updates: number): TileKernel {
  return updates > maxSorted ? byRank : bySorting(updates);
}

function bySorting(updates: number): TileKernel {
  const lower = (updates - 1) >> 1;
  const upper = updates >> 1;
  return {
    key: `median-${updates}`,
    text: () => `
${sortedValues(updates, (place) => place === lower || place === upper)}
  results[at] = bitsOf(v${lower});
  ${upper === lower ? "" : `results[elements + at] = bitsOf(v${upper});`}
}
`,
  };
}

const byRank: TileKernel = {
  key: "median",
  text: () => `
${rankedValues}
  let lower = (settings.updates - 1u) / 2u;
  let upper = settings.updates / 2u;
  results[at] = bitsOf(keyOfRank(lower, at));
  if (upper != lower) { results[elements + at] = bitsOf(keyOfRank(upper, at)); }
}
`,
};
