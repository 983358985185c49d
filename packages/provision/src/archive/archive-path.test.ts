import { expect, it } from "vitest";
import { checkArchivePaths } from "./archive-path.js";

const bad: readonly string[][] = [
  ["/etc/passwd"],
  ["../x"],
  ["a/../../x"],
  ["a/./b"],
  ["a//b"],
  ["a\\b"],
  ["..\\x"],
  ["C:/x"],
  ["c:x"],
  ["x:stream"],
  ["\\\\server\\share"],
  [""],
  ["a/"],
  ["a\0b"],
  ["a\nb"],
  ["a\u202eb"],
  ["con"],
  ["NUL.txt"],
  ["a/Com1.crt"],
  ["lpt\u00b9"],
  ["aux .txt"],
  ["CONIN$"],
  ["name."],
  ["name "],
  [" name"],
  ["a?b"],
  ["a*"],
  ["a|b"],
  ["x".repeat(256)],
  ["a/".repeat(20) + "b"],
  ["same", "same"],
  ["Same", "same"],
  ["a", "a/b"],
  ["stra\u00dfe", "STRASSE"],
  ["\u00e9", "e\u0301"],
];

it.each(bad)("refuses %j %j", (...paths) => {
  expect(() =>
    checkArchivePaths(
      "x.zip",
      paths.filter((path) => path !== undefined),
    ),
  ).toThrow(expect.objectContaining({ code: "archive/unsafe-path" }));
});

it("takes the names that kits and requests have", () => {
  const paths = [
    "request.json",
    "site.yaml",
    "lead@example.org.csr",
    "a+b%c_d-e@x.org.crt",
    "startup/rootCA.pem",
    "common",
    "console.log",
    "null",
  ];
  expect(() => checkArchivePaths("x.zip", paths)).not.toThrow();
});
