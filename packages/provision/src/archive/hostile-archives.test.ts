import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mutateBytes, mutationCount, seeded } from "../../test/mutations.js";
import { type RawEntry, rawZip } from "../../test/raw-zip.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { type ArchiveLimits, exchangeLimits, extractArchive, writeArchive } from "./index.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

let count = 0;
/** Unpacks an archive; answers the error's code or the paths that were written, having made sure that nothing else was. */
async function outcome(bytes: Uint8Array, limits: ArchiveLimits = exchangeLimits): Promise<string | string[]> {
  const place = join(folder.dir, String(count++));
  const file = `${place}.zip`;
  await writeFile(file, bytes);
  const before = (await readdir(folder.dir)).sort();
  const code = await extractArchive({ file, dir: place, limits, privateKeys: "refused" }).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof FlareError) return error.code;
      throw error;
    },
  );
  const after = code === undefined ? [...before, String(count - 1)].sort() : before;
  expect((await readdir(folder.dir)).sort()).toEqual(after);
  return code ?? (await readdir(place, { recursive: true })).sort();
}

const zeros = (bytes: number): Uint8Array => new Uint8Array(bytes);
const good: RawEntry = { name: "request.json", content: "{}" };
const unicodePath = (name: string): Uint8Array => {
  const text = Buffer.from(name);
  const extra = Buffer.alloc(9 + text.length);
  extra.writeUInt16LE(0x7075, 0);
  extra.writeUInt16LE(5 + text.length, 2);
  extra.writeUInt8(1, 4);
  text.copy(extra, 9);
  return extra;
};

const wrong: readonly (readonly [what: string, entries: readonly RawEntry[], code: string])[] = [
  ["an absolute path", [{ name: "/tmp/x" }], "archive/unsafe-path"],
  ["a path upwards", [good, { name: "../x" }], "archive/unsafe-path"],
  ["a folder upwards", [good, { name: "../", mode: 0o040755 }], "archive/unsafe-path"],
  ["a backslash", [{ name: "..\\x" }], "archive/unsafe-path"],
  ["a drive letter", [{ name: "C:/x" }], "archive/unsafe-path"],
  ["a device", [{ name: "nul.txt" }], "archive/unsafe-path"],
  ["a zero byte", [{ name: "a\0.txt" }], "archive/unsafe-path"],
  ["a symbolic link", [{ name: "link", content: "/etc/passwd", mode: 0o120777 }], "archive/unsafe-path"],
  ["a named pipe", [{ name: "pipe", mode: 0o010644 }], "archive/unsafe-path"],
  ["names that differ in case", [good, { name: "Request.json" }], "archive/unsafe-path"],
  ["a file as a folder", [{ name: "a" }, { name: "a/b" }], "archive/unsafe-path"],
  ["a file and a folder of one name", [{ name: "a" }, { name: "a/", mode: 0o040755 }], "archive/unsafe-path"],
  ["a name in an old code page", [{ name: Buffer.from([0x61, 0x82]), flags: 0 }], "archive/unsafe-path"],
  ["one name twice", [good, good], "archive/unreadable"],
  ["another name in the local header", [{ ...good, localName: "../evil.json" }], "archive/unreadable"],
  ["a false checksum", [{ ...good, declaredCrc: 1 }], "archive/unreadable"],
  ["two entries over the same data", [good, { name: "b", content: "{}", sameDataAs: 0, localName: "b" }], "archive/unreadable"],
  ["an unknown method", [{ ...good, method: 12 }], "archive/unreadable"],
  ["ZipCrypto", [{ ...good, method: 0, flags: 0x801 }], "archive/encrypted"],
  ["a large member", [{ name: "a", content: zeros(10 * 1024 * 1024 + 1), method: 0 }], "archive/too-large"],
  ["a bomb that says what it is", [{ name: "a", content: zeros(9 * 1024 * 1024) }], "archive/too-large"],
  ["a bomb that lies about its size", [{ name: "a", content: zeros(20 * 1024 * 1024), declaredSize: 10 }], "archive/unreadable"],
  ["many members", Array.from({ length: 33 }, (_, i) => ({ name: `f${i}` })), "archive/too-large"],
  ["a private key under another name", [{ name: "a.txt", content: "-----BEGIN RSA PRIVATE KEY-----\n" }], "archive/private-key"],
  ["a member with a key's name", [{ name: "hospital-a.key", content: "x" }], "archive/private-key"],
];

describe("unpacking what somebody else made", () => {
  it.each(wrong)("refuses %s", async (_what, entries, code) => {
    expect(await outcome(rawZip(entries))).toBe(code);
  });

  it("refuses a second name that some tools see", async () => {
    const extra = unicodePath("../../x");
    const { crc32 } = await import("node:zlib");
    Buffer.from(extra.buffer).writeUInt32LE(crc32(Buffer.from("request.json")), 5);
    expect(await outcome(rawZip([{ ...good, extra }]))).toBe("archive/unsafe-path");
  });

  it("refuses what stands before or after the archive, and what is no archive", async () => {
    expect(await outcome(rawZip([good], { before: "#!/bin/sh\n" }))).toBe("archive/unreadable");
    expect(await outcome(rawZip([good], { after: "more" }))).toBe("archive/unreadable");
    expect(await outcome(Buffer.from("no zip at all"))).toBe("archive/unreadable");
    expect(await outcome(new Uint8Array())).toBe("archive/unreadable");
  });

  it("counts all members together, and the archive itself", async () => {
    const limits = { ...exchangeLimits, totalBytes: 1000 };
    const half = { content: Buffer.from(Array.from({ length: 600 }, (_, i) => (i * 7919) % 251)), method: 0 };
    expect(await outcome(rawZip([{ name: "a", ...half }]), limits)).toEqual(["a"]);
    expect(
      await outcome(
        rawZip([
          { name: "a", ...half },
          { name: "b", ...half },
        ]),
        limits,
      ),
    ).toBe("archive/too-large");
    expect(await outcome(rawZip([{ name: "a", ...half }]), { ...limits, archiveBytes: 500 })).toBe("archive/too-large");
  });

  it("takes an ordinary archive of other tools, folders included", async () => {
    const entries = [
      { name: "kit/", mode: 0o040755 },
      { name: "kit/a.txt", content: "a" },
      { name: "b", content: "" },
    ];
    expect(await outcome(rawZip(entries))).toEqual(["b", "kit", "kit/a.txt"]);
  });

  it("ends every mutation of an archive with files inside the folder or with an error of its own", { timeout: 900_000 }, async () => {
    const file = join(folder.dir, "good.zip");
    const members = ["request.json", "site.yaml", "hospital-a.csr"].map((path) => ({
      path,
      bytes: Buffer.from(path.repeat(50)),
      mode: 0o644,
    }));
    await writeArchive({ file, members, modified: new Date(0) });
    const original = await readFile(file);
    const random = seeded(20_261_125);
    const seen = new Set<string>();
    for (let round = 0; round < mutationCount(300); round++) {
      const result = await outcome(mutateBytes(original, random));
      seen.add(Array.isArray(result) ? "written" : result);
    }
    expect([...seen].every((code) => code === "written" || code.startsWith("archive/"))).toBe(true);
    expect(seen.size).toBeGreaterThan(2);
  });
});
