import type { MetricPoint } from "@flare-ts/dashboard-api/contract";
import { expect, it } from "vitest";
import { trackedCurves } from "./tracked-curves.js";

const point = (site: string, value: number, step: number | null, seq = 1): MetricPoint => ({
  seq,
  atMs: 0,
  site,
  key: "loss",
  value,
  round: null,
  step,
});

it("puts the values of sites over the same steps, with gaps where a site has none", () => {
  expect(trackedCurves([point("b", 1, 10), point("a", 2, 10), point("a", 3, 20)])).toEqual([
    {
      metric: "loss",
      x: [10, 20],
      curves: [
        { name: "a", values: [2, 3] },
        { name: "b", values: [1, null] },
      ],
    },
  ]);
});

it("counts the values of a script that gives no step", () => {
  expect(trackedCurves([point("a", 5, null), point("a", 6, null)])[0]?.x).toEqual([1, 2]);
});

it("draws a long curve with as many points as can be seen, its end among them", () => {
  const [curves] = trackedCurves(Array.from({ length: 50_000 }, (_, step) => point("a", step, step)));
  expect(curves?.x.length).toBeLessThan(1300);
  expect(curves?.x.at(-1)).toBe(49_999);
});
