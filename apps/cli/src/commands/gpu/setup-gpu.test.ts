import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FlareFolder, flareFolder } from "../../flare-process.test-support.js";
import { missingForBuilds, type StandInNpm, standInNpm, standInTensorflow } from "./stand-in-tools.test-support.js";

let root: string;
const folders: FlareFolder[] = [];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "flare-gpu-"));
});
afterEach(async () => {
  await Promise.all(folders.splice(0).map((each) => each.remove()));
  await rm(root, { recursive: true, force: true });
});

/** A folder whose `flare` finds a stand-in of npm, beside everything, or beside what is named alone. */
async function withNpm(init: StandInNpm = {}, tools?: readonly string[]): Promise<FlareFolder> {
  const bin = await standInNpm(root, init, tools ?? []);
  const path = tools === undefined ? [bin, process.env["PATH"]].join(delimiter) : bin;
  const folder = await flareFolder({ PATH: path, XDG_DATA_HOME: join(root, "data") });
  folders.push(folder);
  return folder;
}

/** Names in the folder for data of this software; none where it is not there. */
const inPlace = (): Promise<string[]> => readdir(join(root, "data", "flare-ts")).catch(() => []);

describe("flare gpu setup --stock", () => {
  it("puts the package in place, and says on what it computes", async () => {
    const flare = await withNpm({ gpus: "1" });
    const { exitCode, stdout, stderr } = await flare.run("gpu", "setup", "--stock");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "What runs on this machine: flare doctor engines\n" });
    const place = join(root, "data", "flare-ts", "tfjs-gpu");
    expect(stdout).toMatch(/^npm install .*--foreground-scripts .*@tensorflow\/tfjs-node-gpu@4\.22\.0$/m);
    expect(stdout).toContain(`TensorFlow.js is in ${place} and computes on an NVIDIA GPU (TensorFlow 2.9.1, tfjs-node-gpu 4.22.0).`);
    expect(await inPlace()).toEqual(["tfjs-gpu"]);
    expect((await flare.run("doctor", "engines")).stdout).toContain("gpu: runs on an NVIDIA GPU (TensorFlow 2.9.1");
  });

  it("replaces an earlier set-up, and what killed runs have left", async () => {
    const flare = await withNpm({ gpus: "1" });
    await flare.data("gpu", "setup", "--stock");
    await writeFile(join(root, "data", "flare-ts", "tfjs-gpu", "old"), "");
    // No process has this number.
    await mkdir(join(root, "data", "flare-ts", "tfjs-gpu.new-99999999"));
    expect(await flare.data("gpu", "setup", "--stock")).toMatchObject({ is_gpu: true, device: expect.stringContaining("NVIDIA") });
    expect(await inPlace()).toEqual(["tfjs-gpu"]);
    expect(await readdir(join(root, "data", "flare-ts", "tfjs-gpu"))).toEqual(["node_modules", "package.json"]);
  });

  it("goes where --folder says, and says how programs find it there", async () => {
    const flare = await withNpm({ gpus: "1" });
    const { exitCode, stderr } = await flare.run("gpu", "setup", "--stock", "--folder", "here");
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining(`FLARE_TFJS_GPU_DIR=${join(flare.path, "here")}`),
    });
    expect(await inPlace()).toEqual([]);
  });

  it("is an error when it finds no GPU, in place all the same; with --allow-cpu it is none", async () => {
    const flare = await withNpm({ gpus: "0" });
    const { exitCode, stderr } = await flare.run("gpu", "setup", "--stock");
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringMatching(/^error gpu\/no-device: It is in .* wants CUDA 11\.2 and cuDNN 8\.1\./),
    });
    expect(await inPlace()).toEqual(["tfjs-gpu"]);
    expect(await flare.data("gpu", "setup", "--stock", "--allow-cpu")).toMatchObject({
      is_gpu: false,
      device: expect.stringMatching(/^cpu /),
    });
  });

  it.each([
    ["npm fails", { instead: "fails" }, 2, /^error gpu\/download-failed: npm could not install .*:\nnpm error network$/m],
    ["what it installed does not load", { gpus: "process.abort()" }, 1, /^error gpu\/does-not-load: .*ended by SIGABRT/],
  ] as const)("leaves nothing when %s", async (_, init, status, message) => {
    const { exitCode, stderr } = await (await withNpm(init)).run("gpu", "setup", "--stock");
    expect({ exitCode, stderr }).toEqual({ exitCode: status, stderr: expect.stringMatching(message) });
    expect(await inPlace()).toEqual([]);
  });

  it("leaves nothing when it is stopped, npm neither", async () => {
    const running = (await withNpm({ instead: "hangs" })).start("gpu", "setup", "--stock");
    await running.printed(/npm install/);
    running.child.kill("SIGINT");
    expect(await running.finished).toMatchObject({ exitCode: 130, stderr: expect.stringContaining("error internal/aborted:") });
    expect(await inPlace()).toEqual([]);
    const processes = await Promise.all((await readdir("/proc")).map((id) => readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "")));
    expect(processes.filter((line) => line.includes(join(root, "bin", "npm")))).toEqual([]);
  });

  it("writes nothing on a dry run, and says what it would do", async () => {
    const flare = await withNpm({ instead: "fails" });
    const { exitCode, stdout } = await flare.run("gpu", "setup", "--stock", "--dry-run");
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/^This would be done:\n {2}npm install .*\n.*\n {2}move it to .*\n$/),
    });
    expect(await inPlace()).toEqual([]);
  });

  it.each(['{ "name": "mine" }', "no JSON"])("does not touch a folder that it did not make, of package.json %j", async (manifest) => {
    const flare = await withNpm({ gpus: "1" });
    await writeFile(join(flare.path, "package.json"), manifest);
    const { exitCode, stderr } = await flare.run("gpu", "setup", "--stock", "--folder", ".");
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining("error gpu/foreign-folder:") });
    expect(await readdir(flare.path)).toEqual(["package.json"]);
  });

  it.each([
    [["--stock"], /^error gpu\/tools-missing: There is no npm on the PATH\./, 1],
    [[], /^error cli\/invalid-arguments: Say which TensorFlow/, 4],
    [["--stock", "--tensorflow", "x"], /^error cli\/invalid-arguments: .*cannot be used with/, 4],
  ])("refuses %j where nothing is there for it", async (words, message, status) => {
    const flare = await flareFolder({ PATH: root });
    folders.push(flare);
    const { exitCode, stderr } = await flare.run("gpu", "setup", ...words);
    expect({ exitCode, stderr }).toEqual({ exitCode: status, stderr: expect.stringMatching(message) });
  });
});

describe("flare gpu setup --tensorflow", () => {
  it("refuses a folder without TensorFlow's libraries, by name of what is missing", async () => {
    await mkdir(join(root, "tensorflow"));
    const { exitCode, stderr } = await (await withNpm()).run("gpu", "setup", "--tensorflow", join(root, "tensorflow"));
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringContaining(
        "tensorflow has no libtensorflow_cc.so.2, no libtensorflow_framework.so.2, no include/tensorflow/c/eager/c_api.h.",
      ),
    });
  });
});

const lacking = missingForBuilds.length === 0 ? "" : ` (this machine lacks ${missingForBuilds.join(", ")})`;

describe.skipIf(missingForBuilds.length > 0)(`a build of flare gpu setup${lacking}`, () => {
  it("names the programs that are missing", async () => {
    const tensorflow = await standInTensorflow(root, true);
    const { exitCode, stderr } = await (await withNpm({}, ["python3"])).run("gpu", "setup", "--tensorflow", tensorflow);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringMatching(/^error gpu\/tools-missing: There is no make, no g\+\+ on the PATH\./),
    });
    expect(await inPlace()).toEqual([]);
  });

  it("builds an add-on that finds TensorFlow, and the CUDA of pip, without help", async () => {
    const tensorflow = await standInTensorflow(root, true);
    const flare = await withNpm();
    expect(await flare.data("gpu", "setup", "--tensorflow", tensorflow)).toEqual({
      folder: join(root, "data", "flare-ts", "tfjs-gpu"),
      device: "an NVIDIA GPU (TensorFlow 2.99.0, tfjs-node-gpu 4.22.0)",
      is_gpu: true,
    });
    expect((await flare.run("doctor", "engines")).stdout).toContain("gpu: runs on an NVIDIA GPU (TensorFlow 2.99.0");
    expect((await readdir(join(root, "data", "flare-ts", "tfjs-gpu"))).sort()).toEqual(["node_modules", "package.json"]);
  });

  it("says that CUDA is not found, given site-packages itself too", async () => {
    const tensorflow = await standInTensorflow(root, false);
    const { exitCode, stderr } = await (await withNpm()).run("gpu", "setup", "--tensorflow", join(tensorflow, ".."));
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringMatching(/^error gpu\/no-device: It is in .*TensorFlow 2\.99\.0 found no GPU/),
    });
  });

  it("shows the compiler's lines when the build fails, and leaves nothing", async () => {
    const tensorflow = await standInTensorflow(root, true);
    const flare = await withNpm({ addon: "int broken = no_such_thing;" });
    const { exitCode, stderr } = await flare.run("gpu", "setup", "--tensorflow", tensorflow);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringMatching(/^error gpu\/build-failed: [\s\S]*no_such_thing/) });
    expect(await inPlace()).toEqual([]);
  });
});
