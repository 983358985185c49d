import { existsSync } from "node:fs";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFolder } from "./make-folder.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-make-folder-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("a folder", () => {
  it("is made with those above it, by any number of callers at once", async () => {
    const paths = ["a/b/c", "a/b/d", "a/b/c", "a"].map((path) => join(folder, path));
    await Promise.all(paths.map((path) => makeFolder(path)));
    for (const path of paths) expect((await stat(path)).isDirectory()).toBe(true);
  });

  it("is refused where a file stands in its place or in its way", async () => {
    const file = join(folder, "file");
    await writeFile(file, "");
    await expect(makeFolder(file)).rejects.toMatchObject({
      code: "file/unwritable",
      message: `The folder ${file} cannot be made: file already exists.`,
    });
    await expect(makeFolder(join(file, "a/b"))).rejects.toMatchObject({ code: "file/unwritable", facts: { reason: "ENOTDIR" } });
  });

  it.skipIf(!existsSync("/proc/self"))("is refused at once where none can be made", async () => {
    await expect(makeFolder("/proc/no/such/folder")).rejects.toMatchObject({ code: "file/unwritable", facts: { reason: "ENOENT" } });
  });
});
