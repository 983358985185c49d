import { execFileSync, spawnSync } from "node:child_process";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { needsTool } from "../../test/needs-tool.js";
import { provisionExample } from "../../test/provision-example.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { extractArchive, kitLimits } from "../archive/index.js";
import { readKit } from "../kit/read-kit.js";
import { verifyKit } from "../kit/verify-kit.js";
import type { ProvisionResult } from "../provision.js";

describe("kits that are also archives", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let result: ProvisionResult;
  beforeAll(async () => {
    folder = await temporaryFolder();
    result = await provisionExample(folder.dir, {}, { archives: true });
  });
  afterAll(() => folder.remove());

  const archives = (): { name: string; file: string; passphrase: string }[] =>
    result.kits.flatMap(({ name, archive }) => (archive === undefined ? [] : [{ name, ...archive }]));

  it("lie beside the folders, each with a passphrase of its own of at least 80 bits", async () => {
    expect((await readdir(result.prodDir)).toSorted()).toEqual(
      ["admin@example.org", "hospital-a", "server1.example.org"].flatMap((name) => [name, `${name}.zip`]),
    );
    const passphrases = archives().map(({ passphrase }) => passphrase);
    expect(new Set(passphrases).size).toBe(3);
    for (const passphrase of passphrases) {
      expect(passphrase).toMatch(/^[2-9a-hjkmnp-tw-z]{4}(?:-[2-9a-hjkmnp-tw-z]{4}){4}$/);
      expect(passphrase.replaceAll("-", "").length * Math.log2(29)).toBeGreaterThan(80);
    }
  });

  it.skipIf(needsTool("7z", "p7zip-full"))("are opened by 7z with the passphrase alone, and hold a kit that can be trusted", async () => {
    for (const { name, file, passphrase } of archives()) {
      const out = join(folder.dir, `7z ${name}`);
      execFileSync("7z", ["x", `-p${passphrase}`, `-o${out}`, file], { stdio: "ignore" });
      await verifyKit(await readKit(join(out, name)));
      expect(spawnSync("7z", ["t", "-pwrong", file]).status).not.toBe(0);
    }
  });

  it("hold what the folder beside them holds", async () => {
    for (const { name, file, passphrase } of archives()) {
      const out = join(folder.dir, `out ${name}`);
      await extractArchive({ file, passphrase, dir: out, limits: kitLimits, privateKeys: "allowed" });
      const filesIn = async (dir: string): Promise<string[]> =>
        (await readdir(dir, { recursive: true, withFileTypes: true }))
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name).slice(dir.length));
      const dir = join(result.prodDir, name);
      const files = await filesIn(dir);
      expect((await filesIn(join(out, name))).toSorted()).toEqual(files.toSorted());
      for (const path of files) expect(await readFile(join(out, name, path))).toEqual(await readFile(join(dir, path)));
    }
  });

  it("leave their passphrases in no file", async () => {
    const entries = (await readdir(folder.dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    for (const entry of entries) {
      const bytes = await readFile(join(entry.parentPath, entry.name));
      for (const { passphrase } of archives()) expect(bytes.includes(passphrase)).toBe(false);
    }
  });

  it("are not made unless they are asked for", async () => {
    const other = join(folder.dir, "other");
    await mkdir(other);
    const { kits } = await provisionExample(other);
    expect(kits.every(({ archive }) => archive === undefined)).toBe(true);
  });
});
