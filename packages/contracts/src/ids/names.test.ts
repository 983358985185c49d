import { describe, expect, it } from "vitest";
import {
  adminNameSchema,
  contentHashSchema,
  hostNameSchema,
  isContentHash,
  jobIdSchema,
  simpleNameSchema,
  siteNameSchema,
} from "./names.js";

const hash = "0123456789abcdef".repeat(4);

describe("names", () => {
  it.each([
    ["simple name", simpleNameSchema, ["a", "Hospital_1"], ["", "a-b", "a b", "ä", "../a"]],
    [
      "site",
      siteNameSchema,
      ["site-1", "A_b", "SRV", "Globals", "states"],
      ["", "a.b", "a/b", "a b", "x".repeat(64), "Global", "SRV_a", "state"],
    ],
    [
      "host",
      hostNameSchema,
      ["localhost", "a.example.org", "127.0.0.1", "::1", "x".repeat(63)],
      ["", "-a", "a-.b", "a..b", "a_b", "x".repeat(64)],
    ],
    ["admin", adminNameSchema, ["admin@example.org", "a.b+c@x-y.org"], ["admin", "a@b", "a b@c.org", "@c.org"]],
    ["job id", jobIdSchema, ["3f0c9a52-6f0e-4e0a-9d2b-0f8f5a4a7b11"], ["", "3f0c9a52", "../../etc"]],
    ["content hash", contentHashSchema, [hash], [hash.toUpperCase(), hash.slice(1), `${hash}\n`, ""]],
  ])("of a %s: takes the good and refuses the bad", (_, schema, good, bad) => {
    expect(good.filter((text) => !schema.safeParse(text).success)).toEqual([]);
    expect(bad.filter((text) => schema.safeParse(text).success)).toEqual([]);
  });

  it("knows a content hash when it sees one", () => {
    expect(isContentHash(hash)).toBe(true);
    expect(isContentHash(`${hash}\n`)).toBe(false);
  });
});
