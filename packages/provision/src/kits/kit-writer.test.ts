import { generateKeyPairSync } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { verifyFolder } from "../kit/verify-folder.js";
import { type KitFile, plainFile, scriptFile, secretFile } from "./kit-file.js";
import { KitWriter } from "./kit-writer.js";
import { signFolder } from "./sign-folder.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const files: KitFile[] = [
  plainFile("startup/rootCA.pem", "a certificate\n"),
  secretFile("startup/client.key", "a key\n"),
  scriptFile("startup/start.sh", "#!/bin/sh\n"),
  plainFile("local/settings.json", "{}\n"),
];

const { privateKey: rootKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

it.each(["rsa", "ec"] as const)("what is written is signed as a folder is, with a root key of the kind %s", async (type) => {
  const { privateKey, publicKey } =
    type === "rsa" ? generateKeyPairSync("rsa", { modulusLength: 2048 }) : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const writer = new KitWriter(privateKey);
  writer.writeKit(join(folder.dir, "kit"), files);
  await verifyFolder(join(folder.dir, "kit/startup"), [publicKey]);
  writer.writeFiles(join(folder.dir, "unsigned"), files);
  await signFolder(join(folder.dir, "unsigned/startup"), privateKey);
  const namesIn = async (kit: string): Promise<string[]> =>
    Object.keys(JSON.parse(await readFile(join(folder.dir, kit, "startup/signature.json"), "utf8")) as object);
  expect(await namesIn("kit")).toEqual(await namesIn("unsigned"));
});

it("modes are what they were asked to be, and folders are only the owner's to write to, whatever the umask is", async () => {
  const before = process.umask();
  for (const umask of [0o000, 0o022, 0o077]) {
    const dir = join(folder.dir, `umask ${umask}`);
    process.umask(umask);
    try {
      new KitWriter(rootKey).writeKit(dir, files);
    } finally {
      process.umask(before);
    }
    for (const path of [".", "startup", "local", "transfer"]) expect((await stat(join(dir, path))).mode & 0o022).toBe(0);
    for (const { path, mode } of files) expect((await stat(join(dir, path))).mode & 0o777).toBe(mode);
  }
});

it("no file is written over", () => {
  const writer = new KitWriter(rootKey);
  writer.writeFiles(folder.dir, files);
  expect(() => writer.writeFiles(folder.dir, files)).toThrow(expect.objectContaining({ code: "EEXIST" }));
});

it("what kits have in common is signed once, and a file that differs in one of them is signed there by itself", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const writer = new KitWriter(privateKey);
  const other = files.map((file) => (file.path === "startup/client.key" ? secretFile(file.path, "another key\n") : file));
  const signaturesOf = async (kit: string, content: readonly KitFile[]): Promise<Record<string, string>> => {
    writer.writeKit(join(folder.dir, kit), content);
    await verifyFolder(join(folder.dir, kit, "startup"), [publicKey]);
    return JSON.parse(await readFile(join(folder.dir, kit, "startup/signature.json"), "utf8")) as Record<string, string>;
  };
  const first = await signaturesOf("first", files);
  const second = await signaturesOf("second", other);
  expect(Object.keys(first).filter((name) => first[name] === second[name])).toEqual(["rootCA.pem", "start.sh"]);
  await signaturesOf("third", files);
});
