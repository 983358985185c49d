import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { buildProgram } from "./command-line/build-program.js";
import { commandGroups } from "./command-line/command-group.js";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");

it.each(commandGroups.map(({ name }) => name))("the table of commands has %s with everything that belongs to it", async (name) => {
  const program = await buildProgram([name], () => async () => {}, { out: () => {}, outHelp: () => {}, columns: 80 });
  const command = program.commands.find((each) => each.name() === name);
  const listed = [...readme.matchAll(new RegExp(String.raw`^\| .*\`flare ${name}(?: ([a-z|\\-]+))?\``, "gm"))];
  expect(listed.length).toBeGreaterThan(0);
  const verbs = new Set(listed.flatMap(([, list = ""]) => list.split(String.raw`\|`)).filter((verb) => verb !== ""));
  expect([...verbs].sort()).toEqual(command?.commands.map((each) => each.name()).sort());
});
