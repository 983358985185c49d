import { checkPackage, findCycles } from "./check-package.mjs";

/** Offences that the gate must see; a gate that cannot fail is worse than none. */
const cases = [
  ["a sibling that the table does not name", 'import { x } from "@flare-ts/runtime";', "may not import"],
  ["the same as a type only", 'import type { X } from "@flare-ts/runtime";', "may not import"],
  ["the same as a type in place", 'type X = import("@flare-ts/runtime").X;', "may not import"],
  ["the same as a re-export", 'export { x } from "@flare-ts/runtime";', "may not import"],
  ["the same when it is run", 'const x = await import("@flare-ts/runtime");', "may not import"],
  ["a deep import", 'import { x } from "@flare-ts/contracts/dist/limits.js";', "no public entry"],
  ["a relative path into another package", 'import { x } from "../../contracts/src/limits.js";', "leaves the package"],
  ["a denied Node module", 'import { connect } from "node:net";', "must not use node:net"],
  ["a denied Node module beside a pure function of it", 'import { isIP, connect } from "node:net";', "must not use node:net"],
  ["a Node module without its prefix", 'import fs from "fs";', "lacks the prefix"],
  ["a package that is not declared", 'import x from "left-pad";', "not among the dependencies"],
  ["an import over several lines", 'import {\n  a,\n  b,\n} from "@flare-ts/runtime";', "may not import"],
];

/** What must pass. */
const allowed = [
  'import { x } from "@flare-ts/contracts";',
  'import { isIP } from "node:net";',
  '// import { x } from "@flare-ts/runtime";',
  '/* import { x } from "@flare-ts/runtime"; */',
  'import { readFile } from "node:fs/promises";\nimport { y } from "./y.js";',
];

/** Runs the gate on made-up files and returns a line for each case in which it is wrong. */
export function selfTest() {
  const check = (text, path = "src/x.ts") =>
    checkPackage({
      folder: "packages/example",
      manifest: { name: "@flare-ts/example", dependencies: { "@flare-ts/contracts": "1" } },
      rule: { siblings: ["@flare-ts/contracts"], denied: ["net", "tls"], except: { "src/except.ts": ["net"] } },
      files: new Map([[path, text]]),
      entries: new Set(["@flare-ts/contracts", "@flare-ts/runtime"]),
    }).offences;
  const wrong = [];
  for (const [what, text, expected] of cases) {
    if (!check(text).some((line) => line.includes(expected))) wrong.push(`not seen: ${what}`);
  }
  for (const text of allowed) if (check(text).length > 0) wrong.push(`wrongly refused: ${text}`);
  if (check('import { connect } from "node:net";', "src/except.ts").length > 0) wrong.push("wrongly refused: what a file is excepted for");
  if (check('import { connect } from "node:tls";', "src/except.ts").length === 0) wrong.push("not seen: more than a file is excepted for");
  const cycle = checkPackage({
    folder: "packages/example",
    manifest: { name: "@flare-ts/example" },
    rule: { siblings: [], denied: [] },
    files: new Map([
      ["src/a.tsx", 'import { b } from "./b.js";'],
      ["src/b.ts", 'import { a } from "./a.js";'],
    ]),
    entries: new Set(),
  });
  if (findCycles(cycle.graph).length !== 1) wrong.push("not seen: a cycle through a file with JSX");
  const bundled = (isBundled) =>
    checkPackage({
      folder: "packages/example",
      manifest: { name: "@flare-ts/example", devDependencies: { react: "1" } },
      rule: { siblings: [], denied: [], isBundled },
      files: new Map([["src/x.tsx", 'import { useState } from "react";']]),
      entries: new Set(),
    }).offences.length;
  if (bundled(true) !== 0) wrong.push("wrongly refused: a development dependency of what is bundled");
  if (bundled(false) !== 1) wrong.push("not seen: a development dependency in what is not bundled");
  if (
    findCycles(
      new Map([
        ["a", ["b"]],
        ["b", ["a"]],
      ]),
    ).length !== 1
  )
    wrong.push("not seen: a cycle of two files");
  if (
    findCycles(
      new Map([
        ["a", ["b"]],
        ["b", []],
      ]),
    ).length !== 0
  )
    wrong.push("wrongly refused: a chain without a cycle");
  return wrong;
}
