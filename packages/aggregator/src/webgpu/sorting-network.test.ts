import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Comparator, sortingNetwork } from "./sorting-network.js";

/** Carries the network out; a half step that is not needed leaves rubbish behind. */
function run(network: readonly Comparator[], values: readonly number[]): number[] {
  const places = [...values];
  for (const { low, high, isLowNeeded, isHighNeeded } of network) {
    const [a, b] = [places[low] ?? Number.NaN, places[high] ?? Number.NaN];
    places[low] = isLowNeeded ? Math.min(a, b) : Number.NaN;
    places[high] = isHighNeeded ? Math.max(a, b) : Number.NaN;
  }
  return places;
}

describe("a sorting network", () => {
  it("sorts all zeros and ones, and so everything, up to 12 values", () => {
    for (let count = 1; count <= 12; count++) {
      const network = sortingNetwork(count, () => true);
      for (let bits = 0; bits < 2 ** count; bits++) {
        const values = Array.from({ length: count }, (_, place) => (bits >> place) & 1);
        expect(run(network, values)).toEqual(values.toSorted((a, b) => a - b));
      }
    }
  });

  it("brings to the needed places what belongs there, for up to 64 values", () => {
    const cases = fc
      .array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 64 })
      .chain((values) => fc.tuple(fc.constant(values), fc.uniqueArray(fc.nat(values.length - 1), { minLength: 1 })));
    fc.assert(
      fc.property(cases, ([values, needed]) => {
        const sorted = values.toSorted((a, b) => a - b);
        const places = run(
          sortingNetwork(values.length, (place) => needed.includes(place)),
          values,
        );
        for (const place of needed) expect(places[place] === sorted[place]).toBe(true);
      }),
    );
  });

  it("has as many comparators as Batcher's, and fewer for the middle alone", () => {
    const sizes = [2, 4, 8, 16, 32, 64].map((count) => sortingNetwork(count, () => true).length);
    expect(sizes).toEqual([1, 5, 19, 63, 191, 543]);
    expect(sortingNetwork(32, (place) => place === 15 || place === 16)).toHaveLength(157);
  });
});
