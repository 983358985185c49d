import { spawnSync } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { archiveFolder, extractArchive, kitLimits, writeArchive } from "../archive/index.js";
import { placeFiles } from "../requests/place-files.js";
import { draftBeside } from "./draft-beside.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

/** Makes a draft, as a process makes one that is then killed with a private key in it, and gives its name. */
async function leaveDraft(change: (name: string) => string): Promise<string> {
  const name = change((await draftBeside(folder.dir)).slice(folder.dir.length + 1));
  await mkdir(join(folder.dir, name), { mode: 0o700 });
  await writeFile(join(folder.dir, name, "client.key"), "a private key", { mode: 0o600 });
  return name;
}

/** As the name would be of a process that has ended. */
const ofDead = (name: string): string => name.replace(/-\d+/, `-${spawnSync(process.execPath, ["-e", ""]).pid}`);

const present = async (): Promise<readonly string[]> => (await readdir(folder.dir)).filter((name) => name.startsWith(".wip")).sort();

describe("what a killed process has left of files that were to appear all at once", () => {
  it.each<readonly [string, () => Promise<unknown>]>([
    ["a draft is made", () => draftBeside(folder.dir)],
    [
      "files are placed",
      () =>
        placeFiles({
          dir: join(folder.dir, "request"),
          files: [{ name: "a", content: "a", mode: 0o600 }],
          isForced: false,
          now: new Date(),
        }),
    ],
    ["an archive is written", () => writeArchive({ file: join(folder.dir, "signed.zip"), members: [], modified: new Date() })],
    [
      "an archive is unpacked",
      async () => {
        const [kit, file] = [join(folder.dir, "kit"), join(folder.dir, "kit.zip")];
        await mkdir(kit);
        await writeFile(join(kit, "start.sh"), "#!/bin/sh\n");
        await archiveFolder({ dir: kit, under: "hospital-a", file, modified: new Date() });
        await extractArchive({ file, dir: join(folder.dir, "unpacked"), limits: kitLimits, privateKeys: "allowed" });
      },
    ],
  ])("is removed when %s beside it", async (_what, act) => {
    await leaveDraft(ofDead);
    // A process before this one that had the same number, as the first one in a container always has.
    await leaveDraft((name) => name.replace(/(\.wip-\d+)-\d+/, "$1-1000"));
    await act();
    expect(await present()).toEqual([]);
  });

  it("is left alone while its process may be at work: this one, one that runs, one on another host, and what has another name", async () => {
    const left = [
      await leaveDraft((name) => name),
      await leaveDraft((name) => name.replace(/-\d+/, `-${process.ppid}`)),
      await leaveDraft((name) => `${ofDead(name)}.elsewhere`),
      await leaveDraft(() => ".wip-of-somebody"),
    ];
    await draftBeside(folder.dir);
    expect(await present()).toEqual(left.sort());
  });
});
