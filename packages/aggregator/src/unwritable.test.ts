import { writeFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { unwritable } from "./unwritable.js";

const failureOf = (path: string): Promise<unknown> => writeFile(path, "x").catch((error: unknown) => error);

it("says what is in the way in words", async () => {
  const cause = await failureOf("/nowhere/at/all");
  expect(unwritable("a.safetensors cannot be written", "a.safetensors", cause)).toMatchObject({
    code: "file/unwritable",
    message: "a.safetensors cannot be written: its folder is not there.",
    facts: { file: "a.safetensors", reason: "ENOENT" },
  });
  expect(unwritable("b cannot be written", "b", await failureOf("/"))).toMatchObject({
    message: "b cannot be written: illegal operation on a directory.",
  });
});
