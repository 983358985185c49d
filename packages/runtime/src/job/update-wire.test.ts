import { describe, expect, it } from "vitest";
import { takeWire, type UpdateWire, withWire } from "./update-wire.js";

const wire: UpdateWire = { form: "float16", fullBytes: 100, relativeError: 1e-4, largestError: 0.5 };

describe("how an update was made smaller", () => {
  it("goes with its properties and comes out of them again", () => {
    expect(takeWire(withWire({ a: 1 }, wire))).toEqual({ meta: { a: 1 }, wire });
    expect(takeWire({ a: 1 })).toEqual({ meta: { a: 1 } });
  });

  it.each([
    1,
    null,
    "float16",
    { ...wire, form: "float4" },
    { ...wire, relativeError: -1 },
    { ...wire, fullBytes: null },
    { ...wire, more: 1 },
  ])("counts as nothing when a site says %j", (said) => {
    expect(takeWire({ a: 1, "flare.wire": said })).toEqual({ meta: { a: 1 } });
  });
});
