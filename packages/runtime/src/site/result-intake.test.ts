import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContentHash } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileModelStore } from "../store/file-model-store.js";
import type { SiteResult, SiteStore } from "../store/site-store.js";
import { openSqliteSiteStore } from "../store/sqlite-site-store.js";
import { ResultIntake } from "./result-intake.js";

const key = { jobId: "j1", round: 0, task: "train" };
let folder = "";
let store: SiteStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-intake-"));
  store = await openSqliteSiteStore({ path: join(folder, "site.db") });
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true });
});

/** Takes a result of so many bytes, and says what goes to the server and whether its file is still there. */
async function take(bytes: number): Promise<{ readonly delivered: readonly SiteResult[]; readonly isLeft: boolean }> {
  const models = await FileModelStore.open({ root: join(folder, "models") });
  const path = join(folder, "update.safetensors");
  const content = Buffer.alloc(bytes, 1);
  await writeFile(path, content);
  const delivered: SiteResult[] = [];
  const intake = new ResultIntake(
    {
      models,
      store,
      delivery: { deliver: (result) => void delivered.push(result) },
      taskModels: { holdAnswer: () => Promise.resolve(), pathForAnswer: () => join(folder, "answer.safetensors") },
      privacy: { release: (result) => Promise.resolve(result), checkUnfiltered: () => undefined },
      whenThereIsRoom: (action) => action(),
    },
    { folder, scope: undefined },
  );
  const model = { hash: createHash("sha256").update(content).digest("hex") as ContentHash, size: bytes };
  const { signal } = new AbortController();
  const result = { path, paramsType: "FULL", weight: 1, metrics: {}, meta: {} } as const;
  await intake.take(result, { key, model, modelPath: path, form: undefined, signal });
  return { delivered, isLeft: existsSync(path) };
}

describe.each([100, 1_000_000])("a result of %d bytes", (bytes) => {
  it("goes to the server", async () => {
    expect(await take(bytes)).toMatchObject({ delivered: [{ ...key, update: { size: bytes } }], isLeft: false });
  });

  it("stays here when its job is over", async () => {
    await store.endJob(key.jobId);
    expect(await take(bytes)).toEqual({ delivered: [], isLeft: false });
  });
});
