import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { mountSmallDisk } from "./small-disk.js";

const mayMount =
  process.getuid?.() === 0 &&
  spawnSync("unshare", ["--mount", "mount", "-t", "tmpfs", "flare-test", tmpdir()], { stdio: "ignore" }).status === 0;
const why = mayMount ? "" : " (needs root with the right to mount)";

it.skipIf(!mayMount && process.env["FLARE_NO_SKIPS"] !== "1")(
  `a full disk takes not one more byte, and has room again afterwards${why}`,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "flare-disk-"));
    const disk = await mountSmallDisk(folder, 4 * 1024 * 1024);
    if (disk === undefined) throw new Error("a small file system can be mounted here");
    try {
      const state = { isFull: false };
      const write = async (): Promise<void> => {
        for (let i = 0; !state.isFull; i++) {
          await writeFile(join(folder, `probe-${i}`), "x").catch(
            (error: NodeJS.ErrnoException) => (state.isFull = error.code === "ENOSPC"),
          );
        }
        for (let i = 0; i < 20; i++) {
          await expect(writeFile(join(folder, `more-${i}`), "x")).rejects.toMatchObject({ code: "ENOSPC" });
          await rm(join(folder, `more-${i}`), { force: true });
        }
      };
      const writing = write();
      await disk.fill(writing);
      await writing;
      await writeFile(join(folder, "after"), "there is room");
      expect((await readdir(folder)).toSorted()).toContain("after");
      expect(await readdir(folder)).not.toContain("ballast");
    } finally {
      await disk.remove();
      await rm(folder, { recursive: true, force: true });
    }
  },
);
