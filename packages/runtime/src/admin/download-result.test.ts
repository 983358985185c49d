import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContentHash } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { downloadResult } from "./download-result.js";

let folder: string;
let held: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-download-"));
  held = join(folder, "held");
  await writeFile(held, "a model");
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const hash = createHash("sha256").update("a model").digest("hex") as ContentHash;

async function download(dir: string, isReplacing = false): Promise<void> {
  await downloadResult(
    dir,
    { files: [{ path: "models/final.safetensors", hash, size: 7 }], documents: { "rounds.json": [] } },
    { fetch: () => Promise.resolve({ hash, size: 7, path: held }), isReplacing },
  );
}

describe("the result of a job", () => {
  it("is written into a folder of any depth", async () => {
    const dir = join(folder, "some/where/result");
    await download(dir);
    expect(await readFile(join(dir, "models/final.safetensors"), "utf8")).toBe("a model");
    expect((await readdir(dir)).toSorted()).toEqual(["models", "rounds.json"]);
    expect(await readdir(join(folder, "some/where"))).toEqual(["result"]);
  });

  it("takes the place of no other one unless it is to", async () => {
    const dir = join(folder, "result");
    await download(dir);
    await writeFile(join(dir, "notes"), "");
    await expect(download(dir)).rejects.toMatchObject({ code: "file/exists" });
    await download(dir, true);
    expect((await readdir(dir)).toSorted()).toEqual(["models", "rounds.json"]);
    await expect(download(held)).rejects.toMatchObject({ code: "file/exists" });
    expect(await readFile(held, "utf8")).toBe("a model");
  });

  it("is refused where no folder can be made", async () => {
    for (const place of [join(held, "result"), join(held, "some/where/result")]) {
      await expect(download(place)).rejects.toMatchObject({ code: "file/unwritable" });
    }
    expect(await readdir(folder)).toEqual(["held"]);
  });

  it.skipIf(!existsSync("/proc/self"))("is refused at once where the system never makes one", async () => {
    for (const place of ["/proc/result", "/proc/some/where/result"]) {
      await expect(download(place)).rejects.toMatchObject({ code: "file/unwritable" });
    }
  });
});
