import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContentHash } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StoredObject } from "../store/model-store.js";
import { filesForApp } from "./job-manifest.js";
import { layOutJob } from "./lay-out-job.js";

const contents: Readonly<Record<string, string>> = {
  "meta.json": "{}",
  "app/config/config_fed_client.json": "client",
  "app/custom/train.mjs": "train",
  "app/custom/run.sh": "#!/bin/sh\n",
  "app/custom/deep/er/data.txt": "data",
  "app2/custom/train.mjs": "another app",
  "application/custom/x": "an app whose name starts like the other",
};
const manifest = {
  files: Object.entries(contents).map(([path, text]) => ({ path, size: text.length, sha256: hashOf(text) })),
};

let root = "";
let store = "";
let destination = "";

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "flare-lay-out-"));
  store = join(root, "store");
  destination = join(root, "jobs", "j1");
  await mkdir(store);
  for (const text of Object.values(contents)) await writeFile(join(store, hashOf(text)), text, { mode: 0o400 });
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("layOutJob", () => {
  it("writes meta.json and the files of one app, and nothing else", async () => {
    const { appFolder, metaFile } = await layOut();
    expect(appFolder).toBe(join(destination, "app_site-1"));
    expect(readFileSync(metaFile, "utf8")).toBe("{}");
    expect(filesBelow(destination)).toEqual([
      "app_site-1/config/config_fed_client.json",
      "app_site-1/custom/deep/er/data.txt",
      "app_site-1/custom/run.sh",
      "app_site-1/custom/train.mjs",
      "meta.json",
    ]);
  });

  it("keeps others out, and makes a script that names its interpreter executable", async () => {
    const { appFolder } = await layOut();
    const mode = (path: string): number => statSync(join(appFolder, path)).mode & 0o777;
    expect([mode("."), mode("custom"), mode("custom/train.mjs"), mode("custom/run.sh")]).toEqual([0o700, 0o700, 0o600, 0o700]);
  });

  it("copies, so that job code which writes its folder does not reach the store", async () => {
    const { appFolder } = await layOut();
    writeFileSync(join(appFolder, "custom/train.mjs"), "changed");
    expect(readFileSync(join(store, hashOf("train")), "utf8")).toBe("train");
  });

  it("gives a large file a further name instead of a copy where no code of the job runs, and looks at it all the same", async () => {
    const content = "m".repeat(2 * 2 ** 20);
    const sha256 = hashOf(content);
    writeFileSync(join(store, sha256), content);
    const withModel = { files: [...manifest.files, { path: "app/model.safetensors", size: content.length, sha256 }] };
    const init = { manifest: withModel, find, destination, app: "app", site: "server", isLinked: true };
    const { appFolder } = await layOutJob(init);
    expect(statSync(join(appFolder, "model.safetensors")).ino).toBe(statSync(join(store, sha256)).ino);
    expect(statSync(join(appFolder, "custom/train.mjs")).nlink).toBe(1);
    replace(sha256, `${content.slice(1)}x`);
    await expect(layOutJob({ ...init, site: "other" })).rejects.toMatchObject({ code: "job/file-mismatch" });
  });

  it("leaves an app that is laid out as the job left it", async () => {
    const { appFolder } = await layOut();
    writeFileSync(join(appFolder, "state"), "of the job");
    await layOut();
    expect(readFileSync(join(appFolder, "state"), "utf8")).toBe("of the job");
    expect(filesBelow(destination)).toHaveLength(6);
  });

  it("clears away what a crash left in the middle", async () => {
    await mkdir(join(destination, ".app_site-1.crashed", "custom"), { recursive: true });
    await layOut();
    expect(readdirSync(destination).sort((a, b) => a.localeCompare(b))).toEqual(["app_site-1", "meta.json"]);
  });

  it("lays out apps of two sites side by side", async () => {
    await layOut();
    await layOutJob({ manifest, find, destination, app: "app2", site: "site-2" });
    expect(readFileSync(join(destination, "app_site-2/custom/train.mjs"), "utf8")).toBe("another app");
  });

  it.each([
    ["job/file-missing", () => rmSync(join(store, hashOf("train")))],
    ["job/file-mismatch", () => replace(hashOf("train"), "trainer")],
    ["job/file-mismatch", () => replace(hashOf("train"), "TRAIN")],
  ])("leaves no app behind with %s", async (code, damage) => {
    damage();
    await expect(layOut()).rejects.toMatchObject({ code, facts: { path: "app/custom/train.mjs" } });
    expect(readdirSync(destination)).toEqual(["meta.json"]);
  });
});

describe("filesForApp", () => {
  it("takes an app's own files, not those of one whose name starts alike", () => {
    expect(filesForApp(manifest, "app2").map(({ path }) => path)).toEqual(["meta.json", "app2/custom/train.mjs"]);
  });
});

async function layOut() {
  return layOutJob({ manifest, find, destination, app: "app", site: "site-1" });
}

async function find(hash: ContentHash): Promise<StoredObject | undefined> {
  const path = join(store, hash);
  const entry = statSync(path, { throwIfNoEntry: false });
  return entry === undefined ? undefined : { hash, size: entry.size, path };
}

function replace(name: string, text: string): void {
  rmSync(join(store, name));
  writeFileSync(join(store, name), text);
}

function hashOf(text: string): ContentHash {
  return createHash("sha256").update(text).digest("hex") as ContentHash;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort((a, b) => (a < b ? -1 : 1));
}
