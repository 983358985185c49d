import { describe, expect, it } from "vitest";
import { optionLines, parseOptions } from "./parse-options.ts";
import { byteSize, listOf, oneOf, percentage, wholeNumber } from "./parse-values.ts";

const table = {
  clients: { value: "<count>", about: "updates" },
  sweep: { value: "<what>=<list>", about: "points" },
  quick: { about: "small sizes" },
};

describe("options", () => {
  it("are given by name, several times and with words between them", () => {
    const given = parseOptions(table, ["a.json", "--sweep", "clients=2", "--sweep=params=1e5", "b.json", "--quick"]);
    expect(given.words).toEqual(["a.json", "b.json"]);
    expect(given.all("sweep")).toEqual(["clients=2", "params=1e5"]);
    expect(given.last("sweep")).toBe("params=1e5");
    expect(given.last("clients")).toBeUndefined();
    expect([given.has("quick"), given.has("clients")]).toEqual([true, false]);
  });

  it.each([
    [["--client", "3"], "There is no option --client. Did you mean --clients?"],
    [["--bananas"], "There is no option --bananas."],
    [["-q"], "There is no option -q."],
    [["--clients"], "--clients needs a value: --clients <count>."],
    [["--quick=yes"], "--quick takes no value, not 'yes'."],
  ])("refuses %j in one sentence", (args, message) => {
    expect(() => parseOptions(table, args)).toThrow(
      expect.objectContaining({ code: "cli/invalid-arguments", message: expect.stringContaining(message) }),
    );
  });

  it("stand in the help in two columns", () => {
    expect(optionLines(table).split("\n")).toEqual([
      "  --clients <count>      updates",
      "  --sweep <what>=<list>  points",
      "  --quick                small sizes",
    ]);
  });
});

describe("values", () => {
  it("are read as people write them", () => {
    expect(wholeNumber("--params", "2.5e7")).toBe(25_000_000);
    expect(listOf("--threads", "1, 2,2", (part) => wholeNumber("--threads", part))).toEqual([1, 2]);
    expect([byteSize("--model", "2GB"), byteSize("--limit", "512MB"), byteSize("--limit", "1.5 GiB")]).toEqual([2e9, 512e6, 1.5 * 2 ** 30]);
    expect(percentage("--fail-on-slower", "12.5%")).toBe(0.125);
  });

  it.each([
    ["a fraction", () => wholeNumber("--runs", "2.5"), "--runs takes whole numbers of at least 1, not '2.5'."],
    ["nothing", () => wholeNumber("--runs", ""), "--runs takes whole numbers of at least 1, not ''."],
    ["too many", () => wholeNumber("--threads", "9", { most: 8 }), "--threads takes whole numbers from 1 to 8, not '9'."],
    [
      "a word nearly right",
      () => oneOf("--mode", "exakt", ["exact", "fast"]),
      "--mode takes exact, fast, not 'exakt'. Did you mean 'exact'?",
    ],
    ["a hole in a list", () => listOf("--threads", "1,,2", Number), "--threads takes values with commas between them, not '1,,2'."],
    ["an unknown unit", () => byteSize("--limit", "5XB"), "--limit takes a size such as 512MB"],
    ["no size at all", () => byteSize("--limit", "0MB"), "--limit takes a size such as 512MB"],
    ["a bare number", () => percentage("--fail-on-slower", "10"), "--fail-on-slower takes a percentage such as 10%, not '10'."],
  ])("refuses %s in one sentence", (_what, parse, message) => {
    expect(parse).toThrow(expect.objectContaining({ code: "cli/invalid-arguments", message: expect.stringContaining(message) }));
  });
});
