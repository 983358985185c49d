import { describe, expect, it } from "vitest";
import { FlareError } from "../errors/flare-error.js";
import { readDocumentTree } from "./document-tree.js";

const read = (text: string, hasMergeKeys = false) => readDocumentTree({ text, file: "f.yml", code: "document/invalid", hasMergeKeys });

function messageOf(text: string, hasMergeKeys = false): string {
  try {
    read(text, hasMergeKeys);
  } catch (error) {
    if (error instanceof FlareError) return error.problems.map(({ line, message }) => `${line}: ${message}`).join("; ");
    throw error;
  }
  return "";
}

describe("a document", () => {
  // Comparing every key with every other takes four minutes for these, and linear work a second or two.
  it("tells a repeated key in a map of any size", () => {
    const keys = Array.from({ length: 50_000 }, (_, index) => `k${index}: 1`);
    expect(messageOf([...keys, "k7: 2", "1: a", '"1": b'].join("\n"))).toBe(
      "50001: Map keys must be unique; 50003: Map keys must be unique",
    );
  });

  it.each([
    ["lists", "[".repeat(20_000)],
    ["lists by dashes", "- ".repeat(20_000)],
    ["maps", "{a: ".repeat(20_000)],
  ])("of %s without end is refused", (_, text) => {
    expect(messageOf(text)).toContain("1: is nested too deeply");
  });

  it("takes over another map's keys only where that is asked for", () => {
    const text = "a: &a { x: 1 }\nb: { <<: *a, y: 2 }\n";
    expect(read(text, true).value).toMatchObject({ b: { x: 1, y: 2 } });
    expect(read(text).value).toMatchObject({ b: { "<<": { x: 1 }, y: 2 } });
    expect(messageOf("b: { <<: 5 }\n", true)).not.toBe("");
  });

  it("has a place for every path, a file without anything in it too", () => {
    expect(read("").locate(["a", 0])).toEqual({ file: "f.yml", line: 1, column: 1 });
    expect(read("a: [1,\n 2]\n").locate(["a", 1])).toEqual({ file: "f.yml", line: 2, column: 2 });
  });
});
