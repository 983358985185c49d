import * as fc from "fast-check";
import { expect, it } from "vitest";
import { type Comparator, sortingNetwork } from "./sorting-network.js";

function sortedBy(steps: readonly Comparator[], values: readonly number[]): number[] {
  const places = [...values];
  for (const { low, high, isLowNeeded, isHighNeeded } of steps) {
    const pair = [places[low] ?? Number.NaN, places[high] ?? Number.NaN];
    places[low] = isLowNeeded ? Math.min(...pair) : Number.NaN;
    places[high] = isHighNeeded ? Math.max(...pair) : Number.NaN;
  }
  return places;
}

it("puts at the wanted ranks what sorting puts there", () => {
  const cases = fc
    .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 70 })
    .chain((values) => fc.tuple(fc.constant(values), fc.subarray([...values.keys()])));
  fc.assert(
    fc.property(cases, ([values, ranks]) => {
      const got = sortedBy(
        sortingNetwork(values.length, (place) => ranks.includes(place)),
        values,
      );
      const wanted = values.toSorted((a, b) => a - b);
      expect(ranks.map((rank) => got[rank])).toEqual(ranks.map((rank) => wanted[rank]));
    }),
    { numRuns: 500 },
  );
});

it("sorts every sequence of zeros and ones up to 12 values, and so every sequence", () => {
  for (let count = 1; count <= 12; count++) {
    const steps = sortingNetwork(count, () => true);
    for (let bits = 0; bits < 2 ** count; bits++) {
      const values = Array.from({ length: count }, (_, at) => (bits >> at) & 1);
      expect(sortedBy(steps, values)).toEqual(values.toSorted((a, b) => a - b));
    }
  }
});

it("takes as many steps as Batcher's network, and fewer for the middle alone", () => {
  const all = (count: number): number => sortingNetwork(count, () => true).length;
  expect([2, 4, 8, 16, 32, 64].map(all)).toEqual([1, 5, 19, 63, 191, 543]);
  expect(sortingNetwork(32, (place) => place === 15 || place === 16)).toHaveLength(157);
  expect(sortingNetwork(1, () => true)).toEqual([]);
});
