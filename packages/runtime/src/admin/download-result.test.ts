import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContentHash } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { downloadResult, refuseTaken } from "./download-result.js";

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
    { files: [{ path: "models/final.safetensors", hash, size: 7 }], documents: { "rounds.json": [], "some/matrix.json": {} } },
    { fetch: () => Promise.resolve({ hash, size: 7, path: held }), isReplacing },
  );
}

describe("the result of a job", () => {
  it("is written into a folder of any depth", async () => {
    const dir = join(folder, "some/where/result");
    await download(dir);
    expect(await readFile(join(dir, "models/final.safetensors"), "utf8")).toBe("a model");
    expect((await readdir(dir)).toSorted()).toEqual(["models", "rounds.json", "some"]);
    expect(await readFile(join(dir, "some/matrix.json"), "utf8")).toBe("{}\n");
    expect(await readdir(join(folder, "some/where"))).toEqual(["result"]);
  });

  it("takes the place of no other one unless it is to", async () => {
    const dir = join(folder, "result");
    await download(dir);
    await writeFile(join(dir, "notes"), "");
    await expect(download(dir)).rejects.toMatchObject({ code: "file/exists" });
    await download(dir, true);
    expect((await readdir(dir)).toSorted()).toEqual(["models", "rounds.json", "some"]);
    await expect(download(held)).rejects.toMatchObject({ code: "file/exists" });
    expect(await readFile(held, "utf8")).toBe("a model");
  });

  it("is whole when several are written to one place at a time", async () => {
    const dir = join(folder, "result");
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => download(dir)));
    const refusals = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
    expect(refusals).toEqual(Array.from({ length: 7 }, () => expect.objectContaining({ code: "file/exists" }) as unknown));
    await Promise.all(Array.from({ length: 8 }, () => download(dir, true)));
    expect((await readdir(folder)).toSorted()).toEqual(["held", "result"]);
    expect((await readdir(dir)).toSorted()).toEqual(["models", "rounds.json", "some"]);
  });

  it("is refused before anything is fetched where something is in its place", async () => {
    await mkdir(join(folder, "empty"));
    await refuseTaken(join(folder, "empty"));
    await refuseTaken(join(folder, "nothing"));
    for (const place of [held, folder]) await expect(refuseTaken(place)).rejects.toMatchObject({ code: "file/exists" });
  });

  it("clears away what killed processes have left beside it, and nothing else", async () => {
    const running = `result.part-${process.pid}-0`;
    for (const name of ["result.part", "result.part-2147483646-0", running, "result.partly", "result2"]) await mkdir(join(folder, name));
    await download(join(folder, "result"));
    expect((await readdir(folder)).toSorted()).toEqual(["held", "result", running, "result.partly", "result2"].toSorted());
  });

  it("gives way to what the caller's own function throws", async () => {
    const boom = new Error("boom");
    const dir = join(folder, "result");
    const attempt = downloadResult(
      dir,
      { files: [{ path: "a", hash, size: 7 }], documents: {} },
      { fetch: () => Promise.reject(boom), isReplacing: false },
    );
    await expect(attempt).rejects.toBe(boom);
    expect(await readdir(folder)).toEqual(["held"]);
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
