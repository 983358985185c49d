import type { Tensor } from "@flare-ts/aggregator";
import { describe, expect, it } from "vitest";
import { controlTensors, splitControls } from "./scaffold-controls.js";

const f32 = (...values: number[]): Tensor => ({ dtype: "F32", shape: [values.length], data: Float32Array.from(values) });

describe("control variates of a model", () => {
  it("are told from its own tensors by the names in its file", () => {
    const [w, v, c] = [f32(1), f32(2), f32(3)];
    expect(splitControls({ w, v, "scaffold_c_global.w": c })).toEqual({ params: { w, v }, controls: { w: c } });
    expect(splitControls({ w })).toEqual({ params: { w }, controls: undefined });
  });

  it("go with a difference as changes, and with a whole model as what these come to", () => {
    const [changes, controls] = [{ w: f32(0.5, 1) }, { w: f32(1, -1), v: f32(7) }];
    expect(controlTensors(changes, controls, "DIFF")).toEqual({ "scaffold_c_global.w": f32(0.5, 1), "scaffold_c_global.v": f32(0) });
    expect(controlTensors(changes, controls, "FULL")).toEqual({ "scaffold_c_global.w": f32(1.5, 0), "scaffold_c_global.v": f32(7) });
    const wide = (value: number): Tensor => ({ dtype: "F64", shape: [], data: Float64Array.of(value) });
    expect(controlTensors({ w: wide(0.25) }, { w: wide(1) }, "FULL")).toEqual({ "scaffold_c_global.w": wide(1.25) });
  });

  it("are none where the workflow is another", () => {
    expect(controlTensors(undefined, undefined, "FULL")).toEqual({});
  });

  const half: Tensor = { dtype: "F16", shape: [1], data: Uint16Array.of(1) };
  it.each([
    ["the workflow is another", { w: f32(1) }, undefined, "client-api/result-invalid", "the job's workflow is not Scaffold"],
    ["there is none", undefined, { w: f32(1) }, "client-api/result-invalid", "controlChanges are missing: the job's workflow is Scaffold"],
    ["there is none in it", {}, { w: f32(1) }, "client-api/result-invalid", "controlChanges are missing"],
    ["a name is wrong", { v: f32(1) }, { w: f32(1) }, "client-api/result-invalid", "name 'v', of which there is no control variate"],
    ["a shape is wrong", { w: f32(1, 2) }, { w: f32(1) }, "client-api/result-invalid", "is F32 [2], where its control variate is F32 [1]"],
    ["the type has no sum", { w: half }, { w: half }, "client-api/difference-unsupported", "Send a DIFF"],
  ] satisfies [string, Record<string, Tensor> | undefined, Record<string, Tensor> | undefined, string, string][])(
    "are refused when %s",
    (_, changes, controls, code, message) => {
      expect(() => controlTensors(changes, controls, "FULL")).toThrow(
        expect.objectContaining({ code, message: expect.stringContaining(message) }),
      );
    },
  );
});
