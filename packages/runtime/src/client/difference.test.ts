import type { Tensor } from "@flare-ts/aggregator";
import { describe, expect, it } from "vitest";
import { differenceOf } from "./difference.js";

const f32 = (...values: number[]): Tensor => ({ dtype: "F32", shape: [values.length], data: Float32Array.from(values) });

describe("the difference of two models", () => {
  it("is taken tensor by tensor, in the type of the tensor", () => {
    const d: Tensor = { dtype: "F64", shape: [1], data: Float64Array.of(0.1) };
    const zero: Tensor = { dtype: "F64", shape: [1], data: Float64Array.of(0) };
    expect(differenceOf({ a: f32(3, 5), d }, { a: f32(1, 2), d: zero })).toEqual({ a: f32(2, 3), d });
  });

  it("is that of the tensors that were trained, be they a few", () => {
    expect(differenceOf({ a: f32(3) }, { a: f32(1), b: f32(7) })).toEqual({ a: f32(2) });
  });

  it.each([
    ["a tensor is new", { a: f32(1), b: f32(1) }, { a: f32(1) }, "client-api/result-invalid"],
    ["a shape differs", { a: f32(1, 2) }, { a: f32(1) }, "client-api/result-invalid"],
    [
      "the type has no difference",
      { a: { dtype: "I32", shape: [1], data: Int32Array.of(1) } },
      { a: { dtype: "I32", shape: [1], data: Int32Array.of(1) } },
      "client-api/difference-unsupported",
    ],
  ] satisfies [string, Record<string, Tensor>, Record<string, Tensor>, string][])("is refused when %s", (_, after, before, code) => {
    expect(() => differenceOf(after, before)).toThrow(expect.objectContaining({ code }));
  });
});
