import { existsSync } from "node:fs";
import { mkdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { makeFolder } from "./make-folder.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const refused = (reason: string): object => ({ code: "file/unwritable", facts: { reason } });

describe("a folder", () => {
  it("is made with all that are missing above it, and the first one is told", async () => {
    const path = join(folder.dir, "a", "b", "c");
    expect(await makeFolder(path, { mode: 0o700 })).toBe(join(folder.dir, "a"));
    for (const made of [path, join(folder.dir, "a", "b"), join(folder.dir, "a")]) expect((await stat(made)).mode & 0o777).toBe(0o700);
    expect(await makeFolder(path)).toBeUndefined();
    expect(await makeFolder(join(path, "d"))).toBe(join(path, "d"));
  });

  it("is made once by many at a time", async () => {
    const path = join(folder.dir, "a", "b", "c");
    await Promise.all(Array.from({ length: 20 }, () => makeFolder(path)));
    expect((await stat(path)).isDirectory()).toBe(true);
  });

  it("may lie behind a link", async () => {
    await mkdir(join(folder.dir, "real"));
    await symlink(join(folder.dir, "real"), join(folder.dir, "link"));
    expect(await makeFolder(join(folder.dir, "link"))).toBeUndefined();
    expect(await makeFolder(join(folder.dir, "link", "a"))).toBe(join(folder.dir, "link", "a"));
  });

  it("is refused where a file stands in its place or above it", async () => {
    await writeFile(join(folder.dir, "file"), "");
    await expect(makeFolder(join(folder.dir, "file"))).rejects.toMatchObject(refused("EEXIST"));
    await expect(makeFolder(join(folder.dir, "file"))).rejects.toThrow("file cannot be made: a file is in its place.");
    await expect(makeFolder(join(folder.dir, "file", "a", "b"))).rejects.toMatchObject(refused("ENOTDIR"));
  });

  it("is refused, and not tried for ever, where the system lets nobody make one", async () => {
    // Where there is no such file system, the root's account or nobody may: there is nothing to see.
    if (!existsSync("/proc/self")) return;
    for (const path of ["/proc/flare", "/proc/flare/a/b", "/proc/self/flare"])
      await expect(makeFolder(path)).rejects.toMatchObject(refused("ENOENT"));
  });
});
