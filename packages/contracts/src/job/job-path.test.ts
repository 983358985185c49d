import { resolve } from "node:path";
import { array, assert, constantFrom, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { jobPathClash, jobPathProblem } from "./job-path.js";

/** Paths from the parts that tricks are made of. */
const trickyPath = array(
  constantFrom("..", ".", "", "a", "A", "/", "\\", "//", "C:", "\0", "~", "%2e%2e", "…", " ", "b.", "é", "e\u0301", "\u202e", "/"),
  {
    maxLength: 8,
  },
).map((parts) => parts.join(""));

describe("jobPathProblem", () => {
  it.each(["a", "app/config/config_fed_server.json", "app/custom/größe.py", "app/.hidden", "a b/c-d_e.f", "..a/b..c"])(
    "accepts %j",
    (path) => {
      expect(jobPathProblem(path)).toBeUndefined();
    },
  );

  it.each([
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "a/..",
    "../a",
    "a/./b",
    "a\\b",
    "C:/a",
    "a:b",
    "a\0",
    "a\nb",
    "a.",
    "a ",
    "\u202ea",
    "x".repeat(256),
    "a/".repeat(600),
  ])("refuses %j", (path) => {
    expect(jobPathProblem(path)).toBeTypeOf("string");
  });

  it("accepts no path that leaves the job or has a second spelling, whatever it is made of", () => {
    const check = (path: string): void => {
      if (jobPathProblem(path) !== undefined) return;
      expect(resolve("/jobs/j1", path)).toBe(`/jobs/j1/${path}`);
      expect(path).not.toMatch(/[\\:\0]/);
    };
    assert(property(trickyPath, check), { numRuns: 2000 });
    assert(property(string({ unit: "binary" }), check), { numRuns: 2000 });
  });
});

describe("jobPathClash", () => {
  it.each([
    [["a", "a"]],
    [["a/b", "a/B"]],
    [["a/b", "A/c"]],
    [["a", "a/b"]],
    [["a/b", "a"]],
    [["A", "a/b"]],
    [["\u00e9", "e\u0301"]],
    [["\u212a", "k"]],
    [["straße", "STRASSE"]],
  ])("finds %j", (paths) => {
    expect(jobPathClash(paths)).toEqual(paths);
  });

  it("finds nothing in an ordinary job", () => {
    expect(jobPathClash(["meta.json", "app/config/a.json", "app/custom/a.json", "app2/config/a.json", "app/a"])).toBeUndefined();
  });

  it("finds a clash wherever it stands", () => {
    assert(
      property(array(constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 4 }), (parts) => {
        const path = parts.join("/");
        expect(jobPathClash(["x", path, "y", path.toUpperCase()])).toEqual([path, path.toUpperCase()]);
        expect(jobPathClash(["x", path, `${path}/z`])).toEqual([path, `${path}/z`]);
      }),
    );
  });
});
