import { mkdtemp, readdir, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { FileModelStore } from "../store/file-model-store.js";
import { GrowingModel } from "./growing-model.js";

// Only there can a process see which files it has open.
describe.runIf(process.platform === "linux")("GrowingModel", () => {
  it("leaves no file open that its job's process began while the job ended", async () => {
    const { growing, path } = await setUp();
    const begun = growing.begin(path, 4);
    await growing.stop();
    await begun;
    expect(await openNames(path)).toEqual([]);
  });

  it("follows nothing that its job's process begins after the job has ended", async () => {
    const { growing, path } = await setUp();
    await growing.stop();
    await growing.begin(path, 4);
    growing.reached(path, 4);
    expect(await openNames(path)).toEqual([]);
  });
});

async function setUp(): Promise<{ readonly growing: GrowingModel; readonly path: string }> {
  const folder = await mkdtemp(join(tmpdir(), "flare-growing-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const models = await FileModelStore.open({ root: join(folder, "models") });
  return { growing: new GrowingModel({ models }), path: join(folder, "model.safetensors") };
}

/** Of the files that this process has open, those at a path. */
async function openNames(path: string): Promise<string[]> {
  const names = await Promise.all((await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
  return names.filter((name) => name === path);
}
