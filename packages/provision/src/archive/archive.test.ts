import { execFileSync, spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { errorOf } from "../../test/error-of.js";
import { needsTool } from "../../test/needs-tool.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { archiveFolder, createPassphrase, exchangeLimits, extractArchive, kitLimits, readArchive, writeArchive } from "./index.js";

const modified = new Date("2026-11-01T12:00:00Z");
const secret = "-----BEGIN PRIVATE KEY-----\nnot a real one\n";
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let kit: string;
let archive: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  kit = join(folder.dir, "kit of hospital-a");
  archive = join(folder.dir, "kit.zip");
  await mkdir(join(kit, "startup"), { recursive: true });
  await writeFile(join(kit, "startup", "client.key"), secret, { mode: 0o600 });
  await writeFile(join(kit, "startup", "start.sh"), "#!/bin/sh\n", { mode: 0o755 });
  await writeFile(join(kit, "läs mig.txt"), "plain\n".repeat(1000), { mode: 0o644 });
});
afterEach(() => folder.remove());

async function modesBelow(dir: string): Promise<Record<string, string>> {
  const names = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file.slice(dir.length + 1), ((await stat(file)).mode & 0o777).toString(8)] as const)),
  );
}

const asWritten = { "hospital-a/startup/client.key": "600", "hospital-a/startup/start.sh": "755", "hospital-a/läs mig.txt": "644" };

describe("an archive of a folder", () => {
  it.skipIf(needsTool("7z", "p7zip-full"))("is opened by 7z with the passphrase, names and modes kept, and not without", async () => {
    const passphrase = createPassphrase();
    await archiveFolder({ dir: kit, under: "hospital-a", file: archive, modified, passphrase });
    const out = join(folder.dir, "out");
    execFileSync("7z", ["x", `-p${passphrase}`, `-o${out}`, archive], { stdio: "ignore" });
    expect(await modesBelow(out)).toEqual(asWritten);
    expect(await readFile(join(out, "hospital-a", "startup", "client.key"), "utf8")).toBe(secret);
    const listing = execFileSync("7z", ["l", "-slt", archive], { encoding: "utf8" });
    expect(listing.match(/^Method = .*/gm)).toEqual(Array.from({ length: 3 }, () => expect.stringMatching(/AES-256 /)));
    expect(spawnSync("7z", ["t", "-pwrong", archive]).status).not.toBe(0);
    expect((await readFile(archive)).includes("not a real one")).toBe(false);
  });

  it.skipIf(needsTool("unzip", "unzip") || needsTool("python3", "python3"))(
    "is opened by unzip and by Python when it is not encrypted",
    async () => {
      await archiveFolder({ dir: kit, under: "hospital-a", file: archive, modified });
      const out = join(folder.dir, "out");
      execFileSync("unzip", ["-q", archive, "-d", out], { env: { ...process.env, LC_ALL: "C.UTF-8" } });
      expect(await modesBelow(out)).toEqual(asWritten);
      const script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(z.testzip(), *sorted(z.namelist()), sep='|')";
      const listed = execFileSync("python3", ["-c", script, archive], {
        encoding: "utf8",
        env: { ...process.env, PYTHONIOENCODING: "utf8" },
      });
      expect(listed.trim()).toBe(`None|${Object.keys(asWritten).sort().join("|")}`);
    },
  );

  it("comes back the same, encrypted or not, and its file is for its owner alone", async () => {
    for (const passphrase of [undefined, createPassphrase()]) {
      const file = join(folder.dir, `${passphrase === undefined ? "plain" : "secret"}.zip`);
      const options = { file, ...(passphrase === undefined ? {} : { passphrase }) };
      await archiveFolder({ dir: kit, under: "hospital-a", modified, ...options });
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      const dir = join(folder.dir, `from ${passphrase === undefined ? "plain" : "secret"}`);
      await extractArchive({ ...options, dir, limits: kitLimits, privateKeys: "allowed" });
      expect(await modesBelow(dir)).toEqual(asWritten);
    }
  });

  it("is the same, byte by byte, when made again without a passphrase", async () => {
    await archiveFolder({ dir: kit, file: archive, modified });
    await archiveFolder({ dir: kit, file: `${archive}.2`, modified });
    expect(await readFile(`${archive}.2`)).toEqual(await readFile(archive));
  });

  it("is not written over one that is there unless forced, and leaves nothing half written", async () => {
    await writeFile(archive, "mine");
    expect((await errorOf(archiveFolder({ dir: kit, file: archive, modified }))).code).toBe("file/exists");
    expect(await readFile(archive, "utf8")).toBe("mine");
    await archiveFolder({ dir: kit, file: archive, modified, isForced: true });
    expect(await readArchive({ file: archive, limits: kitLimits, privateKeys: "allowed" })).toHaveLength(3);
    const missing = { path: "a", file: join(folder.dir, "nothing"), mode: 0o644 };
    expect((await errorOf(writeArchive({ file: `${archive}.2`, members: [missing], modified }))).code).toBe("file/unreadable");
    expect((await readdir(folder.dir)).sort()).toEqual(["kit of hospital-a", "kit.zip"]);
  });

  it("holds no links", async () => {
    await symlink("/etc/passwd", join(kit, "link"));
    expect((await errorOf(archiveFolder({ dir: kit, file: archive, modified }))).code).toBe("archive/unsafe-path");
  });
});

describe("reading an archive", () => {
  it("says which passphrase does not open it, and when one is wanted or not", async () => {
    await archiveFolder({ dir: kit, file: archive, modified, passphrase: "one" });
    const read = { file: archive, limits: kitLimits, privateKeys: "allowed" } as const;
    expect((await errorOf(readArchive({ ...read, passphrase: "two" }))).code).toBe("archive/wrong-passphrase");
    expect((await errorOf(readArchive(read))).code).toBe("archive/encrypted");
    await archiveFolder({ dir: kit, file: `${archive}.2`, modified });
    expect((await errorOf(readArchive({ ...read, file: `${archive}.2`, passphrase: "one" }))).code).toBe("archive/encrypted");
  });

  it("tells when encrypted content was changed", async () => {
    await archiveFolder({ dir: kit, file: archive, modified, passphrase: "one" });
    const bytes = await readFile(archive);
    const at = bytes.indexOf("client.key") + 10 + 40;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(archive, bytes);
    expect((await errorOf(readArchive({ file: archive, limits: kitLimits, privateKeys: "allowed", passphrase: "one" }))).code).toMatch(
      /^archive\/(unreadable|wrong-passphrase)$/,
    );
  });

  it("refuses a private key in what travels", async () => {
    await archiveFolder({ dir: kit, file: archive, modified });
    const error = await errorOf(readArchive({ file: archive, limits: exchangeLimits, privateKeys: "refused" }));
    expect(error.code).toBe("archive/private-key");
    expect(error.message).toContain("startup/client.key");
  });
});

describe("a passphrase", () => {
  it("has at least 80 bits and can be read over the telephone", () => {
    const made = new Set(Array.from({ length: 100 }, createPassphrase));
    expect(made.size).toBe(100);
    for (const passphrase of made) expect(passphrase).toMatch(/^(?:[2-9a-hjkmnp-tw-z]{4}-){4}[2-9a-hjkmnp-tw-z]{4}$/);
    expect(Math.log2(29) * 20).toBeGreaterThan(80);
  });
});
