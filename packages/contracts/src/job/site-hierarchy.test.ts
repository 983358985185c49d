import { describe, expect, it } from "vitest";
import { readDocument } from "../documents/read-document.js";
import type { FlareError } from "../errors/flare-error.js";
import { siteHierarchySchema, sitesOfHierarchy } from "./site-hierarchy.js";

const read = (written: unknown) =>
  readDocument({
    text: typeof written === "string" ? written : JSON.stringify(written, null, 1),
    file: "h.json",
    schema: siteHierarchySchema,
    code: "job/invalid",
  });

function problemsOf(written: unknown): string {
  try {
    read(written);
  } catch (error) {
    return (error as FlareError).problems
      .map(({ file, line, path, message }) => `${file ?? ""}:${line ?? ""} ${path ?? ""} ${message}`)
      .join("\n");
  }
  return "";
}

describe("a hierarchy of sites", () => {
  it("is written as in FLARE, with any levels", () => {
    const { value } = read({
      Manufacturers: [
        { Name: "m-1", Orgs: [{ Name: "o-1", Devices: ["d-1", "d-2"] }] },
        { Devices: ["d-3"], Name: "m-2" },
      ],
    });
    expect(value).toEqual({
      level: "Manufacturers",
      members: [
        { name: "m-1", level: "Orgs", members: [{ name: "o-1", level: "Devices", members: ["d-1", "d-2"] }] },
        { name: "m-2", level: "Devices", members: ["d-3"] },
      ],
    });
    expect(sitesOfHierarchy(value).map(({ site, path }) => [site, path.join(".")])).toEqual([
      ["d-1", "Manufacturers.0.Orgs.0.Devices.0"],
      ["d-2", "Manufacturers.0.Orgs.0.Devices.1"],
      ["d-3", "Manufacturers.1.Devices.0"],
    ]);
  });

  it("may have sites beside groups, sites alone, and groups of one name in different ones", () => {
    expect(problemsOf({ hospitals: ["a", { Name: "group", clinics: ["b"] }] })).toBe("");
    expect(problemsOf({ hospitals: ["a"] })).toBe("");
    expect(
      problemsOf({
        l: [
          { Name: "x", m: [{ Name: "y", n: ["a"] }] },
          { Name: "z", m: [{ Name: "y", n: ["b"] }] },
        ],
      }),
    ).toBe("");
  });

  it.each<[string, unknown, RegExp]>([
    ["text that is no JSON", '{\n "hospitals": ["a",\n', /^h\.json:\d+ /],
    ["a list", ["a"], /^h\.json:1 .*must be an object with one level/],
    ["no level", {}, /^h\.json:1 .*has no level/],
    ["a level without sites", { states: [{ Name: "s", hospitals: [] }] }, /^h\.json:5 states\[0\]\.hospitals is a level without sites/],
    ["a group without a level", { states: [{ Name: "s" }] }, /states\[0\] has no level/],
    ["a group without a name", { states: [{ hospitals: ["a"] }] }, /states\[0\] a group needs a Name/],
    ["a slip in the name's key", { states: [{ name: "s", hospitals: ["a"] }] }, /states\[0\] a group needs a Name; is it 'name'\?/],
    ["a name that is no text", { states: [{ Name: 3, hospitals: ["a"] }] }, /states\[0\]\.Name must be a text/],
    ["two levels side by side", { states: ["a"], towns: ["b"] }, /^h\.json:5 towns has the levels 'states' and 'towns'/],
    ["a level that results call something else", { Global: ["a"] }, /'Global' is no name for a level/],
    ["no list", { states: "a" }, /states must be a list/],
    ["a number for a site", { states: [4] }, /states\[0\] must be the name of a site, or a group/],
    [
      "a site twice",
      { states: ["a", { Name: "s", hospitals: ["b", "a"] }] },
      /^h\.json:8 states\[1\]\.hospitals\[1\] the site 'a' is in the hierarchy twice$/,
    ],
    [
      "two groups of one name",
      {
        states: [
          { Name: "s", h: ["a"] },
          { Name: "s", h: ["b"] },
        ],
      },
      /states\[1\]\.Name 's' is the name of a group before/,
    ],
    [
      "more levels than anybody has",
      Array.from({ length: 40 }).reduce<unknown>((below) => ({ l: [{ Name: "g", ...(below as object) }] }), { l: ["a"] }),
      /is deeper than 32 levels/,
    ],
  ])("is refused with %s, and says where", (_, written, message) => {
    expect(problemsOf(written)).toMatch(message);
  });
});
