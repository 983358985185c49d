import { expect, it } from "vitest";
import { gpuNames } from "./gpu-names.js";

it("GPUs have the names that the site's own environment leaves to it", () => {
  expect(gpuNames(2, undefined)).toEqual(["0", "1"]);
  expect(gpuNames(2, "4, GPU-8f2c,7")).toEqual(["4", "GPU-8f2c"]);
  expect(gpuNames(2, "3")).toEqual(["3"]);
  expect(gpuNames(2, "")).toEqual([]);
  expect(gpuNames(2, "-1")).toEqual([]);
  expect(gpuNames(3, "0,-1,1")).toEqual(["0"]);
  expect(gpuNames(3, "1,1,2")).toEqual(["1", "2"]);
});
