import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ResultFolder } from "./result-folder.js";

const training = { task: "train", isEvaluation: false };
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-results-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("the folder of results", () => {
  it("keeps what was kept when it is swept, and nothing that trainers which died have left", async () => {
    const path = join(folder, "train-3.41.safetensors");
    await writeFile(path, "a result");
    const results = new ResultFolder({ folder });
    await results.keep(
      { type: "result", task_id: "train-3", path, params_type: "FULL", weight: 1, metrics: {}, meta: {} } as never,
      training,
    );
    await writeFile(join(folder, "train-3.40.safetensors.part"), "half");
    await writeFile(join(folder, "train-2.39.safetensors"), "never told");
    await writeFile(join(folder, "train-2.json.part"), "{");
    await writeFile(join(folder, "train-1.json"), JSON.stringify({ path: join(folder, "moved-away.safetensors") }));
    await results.sweep();
    expect((await readdir(folder)).toSorted()).toEqual(["train-3.41.safetensors", "train-3.json"]);
    expect(await results.find("train-3")).toMatchObject({ path });
  });

  it("does not find a result of which the power has left a part", async () => {
    const path = join(folder, "train-3.41.safetensors");
    await writeFile(path, "a result");
    const results = new ResultFolder({ folder });
    await results.keep(
      { type: "result", task_id: "train-3", path, params_type: "FULL", weight: 1, metrics: {}, meta: {} } as never,
      training,
    );
    await writeFile(path, "a res");
    expect(await results.find("train-3")).toBeUndefined();
    await results.sweep();
    expect(await readdir(folder)).toEqual([]);
  });
});
