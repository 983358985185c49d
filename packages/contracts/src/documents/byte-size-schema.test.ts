import { describe, expect, it } from "vitest";
import { byteSizeOf, byteSizeSchema, byteSizeText } from "./byte-size-schema.js";

describe("a size", () => {
  it.each([
    ["512MiB", 536_870_912],
    ["512Mi", 536_870_912],
    ["1.5 GB", 1_500_000_000],
    ["10GiB", 10_737_418_240],
    ["4096", 4096],
  ])("%s is so many bytes", (text, bytes) => {
    expect(byteSizeOf(text)).toBe(bytes);
  });

  it.each(["", "MiB", "-1MB", "0", "1e9", "512 Mib", "1.5.2GB", "99999999TiB", "constructor"])("is not %j", (text) => {
    expect(byteSizeOf(text)).toBeUndefined();
  });

  it("may be a number in a document", () => {
    expect([1024, "1KiB", true, "much"].map((value) => byteSizeSchema.safeParse(value).data)).toEqual([1024, 1024, undefined, undefined]);
  });

  it("is said in the largest unit that fits", () => {
    expect([1, 1024, 536_870_912, 1_500_000_000].map(byteSizeText)).toEqual(["1 bytes", "1 KiB", "512 MiB", "1.4 GiB"]);
  });
});
