import { array, assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { splitCommand } from "./split-command.js";

describe("splitCommand", () => {
  it.each([
    ["", []],
    ["  a   b\tc\n", ["a", "b", "c"]],
    [`a 'b c' "d e"`, ["a", "b c", "d e"]],
    [`a"b"'c'`, ["abc"]],
    [`'' ""`, ["", ""]],
    [String.raw`a\ b \" "\"\\\n"`, ["a b", '"', String.raw`"\\n`]],
    ["$HOME *.py ; rm", ["$HOME", "*.py", ";", "rm"]],
  ])("splits %j", (text, words) => {
    expect(splitCommand(text)).toEqual(words);
  });

  it.each(["'a", '"a', "a\\"])("does not take %j, which does not end", (text) => {
    expect(splitCommand(text)).toBeUndefined();
  });

  it("gives back any words that were quoted as a shell quotes them", () => {
    assert(
      property(array(string({ unit: "binary" }), { maxLength: 5 }), (words) => {
        const line = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(" ");
        expect(splitCommand(line)).toEqual(words);
      }),
    );
  });
});
