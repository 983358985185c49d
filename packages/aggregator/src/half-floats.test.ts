import { describe, expect, it } from "vitest";
import { decodeBf16, decodeF16, encodeBf16, encodeF16, shortenFloats } from "./half-floats.js";

type Codec = { decode: typeof decodeF16; encode: typeof encodeF16; infinity: number; smallest: number };

const codecs: Record<string, Codec> = {
  F16: { decode: decodeF16, encode: encodeF16, infinity: 0x7c00, smallest: 2 ** -24 },
  BF16: { decode: decodeBf16, encode: encodeBf16, infinity: 0x7f80, smallest: 2 ** -133 },
};

function decodeOne({ decode }: Codec, bits: number): number {
  const into = new Float32Array(1);
  decode(Uint16Array.of(bits), into);
  return into[0] ?? Number.NaN;
}

function encodeOne({ encode }: Codec, value: number): number {
  const into = new Uint16Array(1);
  encode(Float64Array.of(value), into);
  return into[0] ?? -1;
}

describe.each(Object.entries(codecs))("%s", (_name, codec) => {
  it("gives every bit pattern back that is a number", () => {
    const bits = Uint16Array.from({ length: 65_536 }, (_, i) => i);
    const values = new Float32Array(65_536);
    codec.decode(bits, values);
    const again = new Uint16Array(65_536);
    codec.encode(Float64Array.from(values), again);
    for (let i = 0; i < 65_536; i++) {
      const isNumber = (i & 0x7fff) <= codec.infinity;
      expect(isNumber ? again[i] === i : Number.isNaN(values[i]), `bits ${i}`).toBe(true);
    }
  });

  it("rounds what lies between two neighbours to the nearer, halfway to even, in one rounding", () => {
    const wrong: unknown[] = [];
    for (let bits = 0; bits < codec.infinity - 1; bits++) {
      const below = decodeOne(codec, bits);
      const above = decodeOne(codec, bits + 1);
      const middle = (below + above) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      // So close to the middle that a detour over float32 would land on it.
      const step = (above - below) * 2 ** -30;
      const got = new Uint16Array(6);
      codec.encode(Float64Array.of(middle, middle - step, middle + step, -middle, step - middle, -middle - step), got);
      const wanted = [even, bits, bits + 1, even | 0x8000, bits | 0x8000, (bits + 1) | 0x8000];
      if (wanted.some((value, index) => value !== got[index])) wrong.push({ middle, wanted, got: [...got] });
    }
    expect(wrong).toEqual([]);
  });

  it("keeps the sign of zero, infinity and NaN, and what underflows is zero", () => {
    expect(encodeOne(codec, -0)).toBe(0x8000);
    expect(encodeOne(codec, Number.NEGATIVE_INFINITY)).toBe(0x8000 | codec.infinity);
    expect(encodeOne(codec, 1e300)).toBe(codec.infinity);
    expect(Number.isNaN(decodeOne(codec, encodeOne(codec, Number.NaN)))).toBe(true);
    expect(encodeOne(codec, codec.smallest)).toBe(1);
    expect(encodeOne(codec, codec.smallest / 2)).toBe(0);
    expect(encodeOne(codec, 5e-324)).toBe(0);
  });
});

describe.each(["F16", "BF16"] as const)("float32 as %s", (dtype) => {
  it("is rounded as float64 is, and what is too large is named", () => {
    const words = Uint32Array.from({ length: 1 << 17 }, (_, i) => (i * 2_654_435_761) >>> 0);
    // Each neighbourhood of a value halfway between two of 16 bits.
    const edges = Uint32Array.from({ length: 1 << 17 }, (_, i) => (((i >>> 2) << 15) + ((i & 3) - 1)) >>> 0);
    const { encode, infinity } = codecs[dtype] ?? { encode: encodeF16, infinity: 0 };
    const wrong: unknown[] = [];
    for (const value of [...new Float32Array(words.buffer), ...new Float32Array(edges.buffer)]) {
      const [wanted, got] = [new Uint16Array(1), new Uint16Array(1)];
      encode(Float64Array.of(value), wanted);
      const isHeld = ((wanted[0] ?? 0) & 0x7fff) < infinity;
      const at = shortenFloats(dtype, Float32Array.of(value), got);
      if (at !== (isHeld ? -1 : 0) || (isHeld && got[0] !== wanted[0])) wrong.push({ value, at, wanted: wanted[0], got: got[0] });
    }
    expect(wrong).toEqual([]);
  });
});
