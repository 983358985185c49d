import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import { givenPath } from "../command-line/given-path.ts";
import { invalidArguments } from "../command-line/invalid-arguments.ts";
import { parseOptions } from "../command-line/parse-options.ts";
import { readResult } from "../result/read-result.ts";
import { resultPage } from "./result-page.ts";

const options = { help: { about: "prints this" } } as const;

const usage = `usage: npm run bench -- page <figures.json> <page.html>

Draws the page of figures that were measured before.
`;

/** Writes the page of a file of results. @throws `cli/invalid-arguments`, `file/…`, `document/invalid` */
export async function benchPage(args: readonly string[]): Promise<void> {
  const given = parseOptions(options, args);
  if (given.has("help")) {
    process.stdout.write(usage);
    return;
  }
  const [from, to, ...more] = given.words;
  if (from === undefined || to === undefined || more.length > 0) {
    throw invalidArguments(`page takes a file of figures and the name of a page, not ${given.words.length} words.`);
  }
  const path = givenPath(to);
  const page = resultPage(await readResult(givenPath(from)));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, page);
  process.stdout.write(`Page: ${path}\n`);
}
