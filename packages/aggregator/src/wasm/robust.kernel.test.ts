import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type RawKernels, rawKernels } from "./raw-kernels.test-support.js";
import { maxRows, sortingPlan } from "./robust-kernels.js";
import { trimmedMeans } from "./robust-kernels.reference.js";

let forms: readonly RawKernels[] = [];
beforeAll(async () => {
  forms = await rawKernels();
});

const largest = 3.4028234663852886e38;
const hostile = [0, -0, 2 ** -149, -(2 ** -149), largest, -largest, 1, 1 + 2 ** -23];

interface Sample {
  readonly n: number;
  readonly count: number;
  readonly seed: number;
  /** Values that occur: few make many ties. */
  readonly kind: "any" | "few" | "hostile";
}

function valuesOf({ n, count, seed, kind }: Sample): Float32Array[] {
  let state = seed | 0;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
  const value = { any: () => next() - 0.5, few: () => Math.floor(next() * 5) - 2, hostile: () => hostile[Math.floor(next() * 8)] ?? 0 }[
    kind
  ];
  return Array.from({ length: n }, () => Float32Array.from({ length: count }, value));
}

function means(kernels: RawKernels, values: readonly Float32Array[], cut: number, count: number, skew: number): Float32Array {
  const { steps, split, tiles, tileBytes } = sortingPlan(values.length, cut);
  const inputs = kernels.put(Uint32Array.from(values.map((each, i) => kernels.put(each, (skew * i) % 17))));
  const out = kernels.room(4 * count, skew);
  kernels.call("trimmedMeanF32", values.length, cut, inputs, count, out, kernels.put(steps), split, tiles, kernels.room(tileBytes));
  const stored = new Float32Array(kernels.bytes(out, 4 * count));
  kernels.reset();
  return stored;
}

describe("trimmed means and medians", () => {
  it("are those of sorted values, bit by bit, for any number of updates and elements, and whatever is cut", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 65, max: 200 })),
        fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 140, max: 295 }), fc.integer({ min: 570, max: 600 })),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom<Sample["kind"][]>("any", "few", "hostile"),
        fc.integer(),
        fc.integer({ min: 0, max: 9 }),
        (n, count, share, kind, seed, skew) => {
          const values = valuesOf({ n, count, seed, kind });
          const most = Math.floor((n - 1) / 2);
          for (const cut of new Set([most, Math.floor(share * most)])) {
            const expected = Float32Array.from(trimmedMeans(values, cut, count));
            for (const kernels of forms)
              expect(means(kernels, values, cut, count, skew), `${n} updates, ${cut} cut, ${kernels.form}`).toEqual(expected);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("have the same bits in any order of the updates", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), fc.integer(), fc.constantFrom<Sample["kind"][]>("few", "hostile"), (n, seed, kind) => {
        const values = valuesOf({ n, count: 21, seed, kind });
        const turned = [...values.slice(n >> 1), ...values.slice(0, n >> 1)].toReversed();
        for (const kernels of forms) {
          for (const cut of [0, n >> 3, (n - 1) >> 1])
            expect(means(kernels, turned, cut, 21, 0)).toEqual(means(kernels, values, cut, 21, 0));
        }
      }),
      { numRuns: 40 },
    );
  });

  it("hold for as many updates as there may be", () => {
    const values = valuesOf({ n: maxRows, count: 5, seed: 7, kind: "any" });
    for (const cut of [100, (maxRows - 1) >> 1]) {
      const expected = Float32Array.from(trimmedMeans(values, cut, 5));
      for (const kernels of forms) expect(means(kernels, values, cut, 5, 3)).toEqual(expected);
    }
  });
});

describe("a plan", () => {
  // What sorts all sequences of zeros and ones sorts everything (Knuth, 5.3.4, theorem Z); sorted runs are told by their zeros.
  it.each([16, 24, 32, 40])("for %i rows sorts whatever its runs hold", (n) => {
    const { steps, split } = sortingPlan(n, 0);
    const runs = n / 8;
    let unsorted = 0;
    for (let code = 0; code < 9 ** runs; code++) {
      const row = new Uint8Array(n);
      let zeros = 0;
      for (let run = 0; run < runs; run++) {
        const inRun = Math.floor(code / 9 ** run) % 9;
        zeros += inRun;
        row.fill(1, 8 * run + inRun, 8 * run + 8);
      }
      for (let at = 1; at < steps.length; at += 4) takeStep(row, steps.subarray(at, at + 4));
      // The kernel itself does the last stage of the last merge.
      if (split > 0) for (let i = 1; i + 1 < n; i += 2) compare(row, i, i + 1);
      if (row.indexOf(1) !== (zeros === n ? -1 : zeros) || row.lastIndexOf(0) !== zeros - 1) unsorted += 1;
    }
    expect(unsorted).toBe(0);
  });

  it("keeps the rows of all tiles in the second cache, as far as one tile lets it", () => {
    expect(sortingPlan(32, 4)).toMatchObject({ tiles: 4, tileBytes: 4 * 34 * 576 });
    for (const n of [1, 64, 128, 200, 500]) expect(sortingPlan(n, 0).tileBytes).toBeLessThan(400 * 1024);
    expect(sortingPlan(maxRows, 0).tiles).toBe(1);
  });
});

function takeStep(row: Uint8Array, [a = 0, b = 0, c = 0, d = 0]: Uint32Array): void {
  if (c > 0) {
    compare(row, a, c);
    compare(row, b, d);
    compare(row, b, c);
  } else if (d === 0) compare(row, a, b);
  else {
    const merged = Array.from({ length: 16 }, (_, i) => row[a + i * d] ?? 0).toSorted((x, y) => x - y);
    for (const [i, value] of merged.entries()) row[a + i * d] = value;
  }
}

function compare(row: Uint8Array, i: number, j: number): void {
  const x = row[i] ?? 0;
  const y = row[j] ?? 0;
  row[i] = Math.min(x, y);
  row[j] = Math.max(x, y);
}
