import { describe, expect, it } from "vitest";
import { z } from "zod";
import { FlareError, type Problem } from "../errors/flare-error.js";
import { pathText, readDocument } from "./read-document.js";

const schema = z.strictObject({
  name: z.string(),
  port: z.int().min(1).default(8002),
  participants: z.array(z.strictObject({ name: z.string(), role: z.enum(["lead", "member"]).optional() })).default([]),
  target: z.union([z.string(), z.strictObject({ host: z.string(), port: z.int() })]).optional(),
});

function problemsOf(text: string, file = "project.yml"): readonly Problem[] {
  try {
    readDocument({ text, file, schema });
  } catch (error) {
    if (error instanceof FlareError) return error.problems;
    throw error;
  }
  return [];
}

describe("readDocument", () => {
  it("says of an empty file that it is empty", () => {
    const empty = { file: "project.yml", line: 1, column: 1, message: "the file is empty" };
    expect([problemsOf(""), problemsOf("# nothing\n")]).toEqual([[empty], [empty]]);
  });

  it("reads YAML and JSON alike and fills in defaults", () => {
    const expected = { name: "x", port: 8002, participants: [{ name: "a" }] };
    expect(readDocument({ text: "name: x\nparticipants:\n  - name: a\n", file: "f", schema }).value).toEqual(expected);
    expect(readDocument({ text: '{"name": "x", "participants": [{"name": "a"}]}', file: "f", schema }).value).toEqual(expected);
  });

  it("reports all mistakes at once, each with file, line, column and path", () => {
    expect(problemsOf("name: 3\nport: 0\nparticipants:\n  - name: a\n    role: boss\n")).toMatchObject([
      { file: "project.yml", line: 1, column: 1, path: "name" },
      { file: "project.yml", line: 2, column: 1, path: "port" },
      { file: "project.yml", line: 5, column: 5, path: "participants[0].role" },
    ]);
  });

  it("names the nearest known key for one that it does not know", () => {
    expect(problemsOf("name: x\nprot: 1\nzzzzzzzz: 1\n").map(({ line, message }) => ({ line, message }))).toEqual([
      { line: 2, message: "unknown key 'prot'; did you mean 'port'?" },
      { line: 3, message: "unknown key 'zzzzzzzz'" },
    ]);
  });

  it("names the nearest key inside a list and inside a union", () => {
    expect(problemsOf("name: x\nparticipants:\n  - nmae: a\n").map(({ message }) => message)).toContain(
      "unknown key 'nmae'; did you mean 'name'?",
    );
    expect(problemsOf("name: x\ntarget:\n  hots: a\n  port: 1\n").map(({ message }) => message)).toContain(
      "unknown key 'hots'; did you mean 'host'?",
    );
  });

  it("says what a value must be, in words that are not those of a program", () => {
    expect(problemsOf("name: 3\nport: 0\nparticipants: { a: b }\n").map(({ message }) => message)).toEqual([
      "must be a text",
      "must be at least 1",
      "must be a list",
    ]);
  });

  it("says of a value of several kinds, or of several words, which these are", () => {
    const choices = z.strictObject({
      hosts: z.union([z.string(), z.array(z.string())]),
      version: z.literal([3, 4]),
      mode: z.enum(["fast", "exact", "both"]),
    });
    const problems = (text: string): readonly string[] => {
      try {
        readDocument({ text, file: "f", schema: choices });
        return [];
      } catch (error) {
        return (error as FlareError).problems.map(({ message }) => message);
      }
    };
    expect(problems("hosts: { a: 1 }\nversion: 5\nmode: quick\n")).toEqual([
      "must be a text or a list",
      "must be 3 or 4",
      "must be fast, exact or both",
    ]);
    expect(problems("{}")).toEqual(["is missing", "is missing", "is missing"]);
  });

  it("says of a value what the kind that it has asks for, where another kind would do too", () => {
    const host = z.string().regex(/^[a-z]+$/, "is not the name of a host");
    const kinds = z.object({
      hosts: z.union([host, z.array(host)]),
      to: z.union([host, z.strictObject({ host, port: z.number() })], { error: "must be the name of a host, or a map" }),
    });
    const problems = (text: string): unknown => {
      try {
        return readDocument({ text, file: "f", schema: kinds });
      } catch (error) {
        return (error as FlareError).problems.map(({ path, message }) => [path, message]);
      }
    };
    expect(problems("hosts: A\nto: 5\n")).toEqual([
      ["hosts", "is not the name of a host"],
      ["to", "must be the name of a host, or a map"],
    ]);
    expect(problems("hosts: [1]\nto: { host: a, port: 1, prt: 2 }\n")).toEqual([
      ["hosts[0]", "must be a text"],
      ["to.prt", "unknown key 'prt'; did you mean 'port'?"],
    ]);
  });

  it("says of an alias inside what it is an alias of where it stands", () => {
    expect(problemsOf("name: x\nown: &own\n  again: *own\n")).toMatchObject([
      { line: 3, column: 10, message: "an alias stands inside what it is an alias of" },
    ]);
    const loose = readDocument({ text: "a: &a { b: &a 1, c: *a }\nd: *a\n", file: "f", schema: z.looseObject({}) });
    expect(loose.value).toEqual({ a: { b: 1, c: 1 }, d: 1 });
  });

  it("says of a second document where it begins", () => {
    expect(problemsOf("name: x\n---\nname: y\n")).toMatchObject([
      { line: 2, message: "there is more than one document; a second one begins here" },
    ]);
  });

  it("says of a tab that it is one, and nothing of the lines below it, which it makes unreadable", () => {
    expect(problemsOf("name: x\nparticipants:\n  - name: a\n\trole: lead\n  - name: b\n")).toEqual([
      { file: "project.yml", line: 4, column: 1, message: "Tabs are not allowed as indentation" },
    ]);
  });

  it("finds the key that was meant by one that the schema lets pass", () => {
    const loose = z.looseObject({
      name: z.string(),
      sites: z.array(z.unknown(), "must be a list of sites"),
      version: z.literal([3, 4], "must be 3 or 4"),
    });
    const read = (): unknown => readDocument({ text: "nmae: x\nstes: []\nverson: 3\n", file: "f", schema: loose });
    expect(read).toThrow(
      expect.objectContaining({
        problems: [
          expect.objectContaining({ path: "name", message: "is missing; did you mean it by 'nmae'?" }),
          expect.objectContaining({ path: "sites", message: "must be a list of sites; did you mean it by 'stes'?" }),
          expect.objectContaining({ path: "version", message: "must be 3 or 4; did you mean it by 'verson'?" }),
        ],
      }),
    );
  });

  it("points at the parent when a key is missing", () => {
    expect(problemsOf("name: x\nparticipants:\n  - role: lead\n")).toMatchObject([{ line: 3, path: "participants[0].name" }]);
  });

  it.each([
    ["a quote that is not closed", 'name: "x\n', 1],
    ["the same key twice", "name: x\nname: y\n", 2],
    ["brackets that do not match", '{"name": ["x"}', 1],
    ["a second document", "name: x\n---\nname: y\n", 2],
    ["a tab as indentation", "participants:\n\t- name: a\n", 2],
  ])("gives the line of %s", (_, text, line) => {
    const [problem] = problemsOf(text);
    expect(problem).toMatchObject({ file: "project.yml" });
    expect(problem?.line).toBeGreaterThanOrEqual(line);
  });

  it("refuses an empty document, and one that is a list", () => {
    expect(problemsOf("")).toHaveLength(1);
    expect(problemsOf("- a\n")).toHaveLength(1);
  });

  it("does not let aliases blow a small file up", () => {
    const lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 10; i++) {
      const previous = String.fromCharCode(96 + i);
      const name = String.fromCharCode(97 + i);
      lines.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${previous}`).join(", ")}]`);
    }
    const text = `name: [${lines.length}]\n${lines.join("\n")}\n`;
    expect(problemsOf(text)).toEqual([{ file: "project.yml", line: 1, column: 1, message: "has too many aliases" }]);
  });

  it("uses the code that it is told", () => {
    expect(() => readDocument({ text: "x", file: "f", schema, code: "project/invalid" })).toThrow(
      expect.objectContaining({ code: "project/invalid" }) as Error,
    );
  });

  it("locates what exists and falls back to the nearest that does", () => {
    const document = readDocument({ text: "name: x\nparticipants:\n  - name: a\n  - name: b\n", file: "f", schema });
    expect(document.locate(["participants", 1, "name"])).toEqual({ line: 4, column: 5 });
    expect(document.locate(["participants", 7])).toEqual({ line: 2, column: 1 });
    expect(document.problemAt(["name"], "is taken")).toEqual({ file: "f", line: 1, column: 1, path: "name", message: "is taken" });
  });

  it("writes paths as a person would", () => {
    expect(pathText(["participants", 0, "name"])).toBe("participants[0].name");
  });
});
