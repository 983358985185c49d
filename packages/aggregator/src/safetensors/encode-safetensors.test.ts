import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Dtype, dtypeBytes, type Tensor, viewOf } from "../tensor.js";
import { decodeSafetensors, encodeSafetensors } from "./encode-safetensors.js";
import { parseSafetensorsHeader } from "./read-header.js";

const dtypes = Object.keys(dtypeBytes) as Dtype[];

const tensor: fc.Arbitrary<Tensor> = fc
  .record({
    dtype: fc.constantFrom(...dtypes),
    shape: fc.array(fc.nat(4), { maxLength: 3 }),
    seed: fc.uint8Array({ minLength: 8, maxLength: 8 }),
  })
  .map(({ dtype, shape, seed }) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const bytes = Uint8Array.from({ length: count * dtypeBytes[dtype] }, (_, i) => (seed[i % 8] ?? 0) ^ i);
    return { dtype, shape, data: viewOf(dtype, bytes.buffer, 0, count) };
  });

describe("encodeSafetensors", () => {
  it("gives back what it was given, in order, through decodeSafetensors", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: "grapheme" }), tensor),
        fc.dictionary(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" })),
        (tensors, metadata) => {
          const entries = Object.entries(tensors).filter(([name]) => name !== "__metadata__");
          const bytes = encodeSafetensors(entries, metadata);
          const decoded = decodeSafetensors(bytes);
          const bits = (each: Iterable<readonly [string, Tensor]>): unknown =>
            [...each].map(([name, { dtype, shape, data }]) => [
              name,
              dtype,
              shape,
              data.constructor.name,
              Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex"),
            ]);
          const inOffsetOrder = bits(decoded);
          // Empty tensors have no place of their own; the order of their names in the header decides.
          expect(inOffsetOrder).toEqual(bits(entries));
          expect({ ...parseSafetensorsHeader(bytes).metadata }).toEqual({ ...metadata });
          expect(Buffer.compare(encodeSafetensors(decoded, metadata), bytes)).toBe(0);
        },
      ),
    );
  });

  it("writes the bytes that the format's own library reads: sorted metadata, offsets in order, data at a multiple of 8", () => {
    const bytes = encodeSafetensors(
      new Map([
        ["b", { dtype: "F32", shape: [2], data: Float32Array.of(1, -2) }],
        ["a", { dtype: "BOOL", shape: [], data: Uint8Array.of(1) }],
      ] as const),
      { z: "1", a: "2" },
    );
    const headerBytes = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(headerBytes % 8).toBe(0);
    expect(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes)).trimEnd()).toBe(
      '{"__metadata__":{"a":"2","z":"1"},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"BOOL","shape":[],"data_offsets":[8,9]}}',
    );
    expect([...bytes.subarray(8 + headerBytes)]).toEqual([0, 0, 128, 63, 0, 0, 0, 192, 1]);
  });

  it.each<[string, string, unknown]>([
    ["fewer elements than the shape", "w", { dtype: "F32", shape: [2], data: new Float32Array(1) }],
    ["another array than the type's", "w", { dtype: "F32", shape: [1], data: new Float64Array(1) }],
    ["an unknown type", "w", { dtype: "F8", shape: [1], data: new Uint8Array(1) }],
    ["a negative dimension", "w", { dtype: "U8", shape: [-1, -1], data: new Uint8Array(1) }],
    ["the name of the metadata", "__metadata__", { dtype: "U8", shape: [1], data: new Uint8Array(1) }],
    ["half a surrogate pair as its name", "\ud800", { dtype: "U8", shape: [1], data: new Uint8Array(1) }],
  ])("refuses a tensor with %s", (_what, name, bad) => {
    expect(() => encodeSafetensors([[name, bad as Tensor]])).toThrow(expect.objectContaining({ code: "aggregate/tensor-invalid" }));
  });

  it("refuses a name given twice", () => {
    const scalar: Tensor = { dtype: "U8", shape: [], data: new Uint8Array(1) };
    expect(() => encodeSafetensors([["w", scalar] as const, ["w", scalar] as const])).toThrow(
      expect.objectContaining({ code: "aggregate/tensor-invalid" }),
    );
  });
});

describe("decodeSafetensors", () => {
  it("gives tensors that own their data, also out of a Buffer", () => {
    const bytes = Buffer.from(encodeSafetensors([["w", { dtype: "F32", shape: [1], data: Float32Array.of(5) }]]));
    const decoded = decodeSafetensors(bytes);
    bytes.fill(0);
    expect(decoded.get("w")?.data[0]).toBe(5);
  });
});
