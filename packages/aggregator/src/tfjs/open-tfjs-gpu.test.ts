import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import util from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { openTfjsGpu } from "./open-tfjs-gpu.js";
import { computingPackage, type StandIn, standInTfjsGpu } from "./stand-in-tfjs-gpu.test-support.js";

const made: StandIn[] = [];
afterEach(async () => {
  await Promise.all(made.splice(0).map((each) => each.remove()));
});

async function standIn(text: string, hasAddon?: boolean): Promise<StandIn> {
  const each = await standInTfjsGpu(text, hasAddon);
  made.push(each);
  return each;
}

const gpuLog =
  "2026-01-02 03:04:05.678901: I tensorflow/core/common_runtime/gpu/gpu_device.cc:1532] Created device /job:localhost/replica:0/task:0/device:GPU:0 with 37555 MB memory:  -> device: 0, name: NVIDIA A100-SXM4-40GB, pci bus id: 0000:07:00.0, compute capability: 8.0\n";
const noCudaLog =
  "2026-01-02 03:04:05.678901: W tensorflow/stream_executor/platform/default/dso_loader.cc:64] Could not load dynamic library 'libcudart.so.11.0'; dlerror: libcudart.so.11.0: cannot open shared object file\n";

describe("opening a GPU through TensorFlow.js", () => {
  it.each([
    [
      "throws",
      'throw new Error("libtensorflow.so.2: cannot open shared object file");',
      "load-failed",
      /does not work: .*libtensorflow\.so\.2/,
    ],
    ["aborts its process", "process.abort();", "load-failed", /ended by SIGABRT/],
    ["hangs", "for (;;);", "hung", /was given up: .*within 1000 ms/],
    ["computes wrongly", `${computingPackage({ isUsingGpuDevice: true })} module.exports.add = (a) => a;`, "load-failed", /"sum\\":4/],
    ["is something else", "module.exports = {};", "load-failed", /tf\.ready is not a function/],
    [
      "finds no GPU",
      computingPackage({ isUsingGpuDevice: false, log: noCudaLog }),
      "no-gpu-device",
      /wants CUDA 11\.2 and cuDNN 8\.1\. It wrote: Could not load dynamic library 'libcudart\.so\.11\.0'/,
    ],
  ])("is a reason with advice when the package %s", async (_, text, kind, reason) => {
    const { folder } = await standIn(text);
    const opened = await openTfjsGpu({ folders: [folder], timeoutMs: kind === "hung" ? 1000 : 20_000 });
    expect(opened).toMatchObject({ isOpen: false, kind, reason: expect.stringMatching(reason), advice: expect.stringMatching(/[.]$/) });
  });

  it("is a reason when no folder has the package, or none with its add-on", async () => {
    expect(await openTfjsGpu({ folders: [join(tmpdir(), "nowhere")] })).toMatchObject({ isOpen: false, kind: "package-missing" });
    const { folder } = await standIn("process.abort();", false);
    expect(await openTfjsGpu({ folders: [join(tmpdir(), "nowhere"), folder] })).toMatchObject({
      isOpen: false,
      kind: "addon-missing",
      reason: expect.stringContaining("could not download libtensorflow"),
      advice: expect.stringContaining("flare gpu setup"),
    });
  });

  it("is a reason when what is there cannot be read", async () => {
    const { folder, packageFolder } = await standIn("");
    await writeFile(join(packageFolder, "package.json"), "no JSON");
    const opened = await openTfjsGpu({ folders: [folder] });
    expect(opened).toMatchObject({ isOpen: false, kind: "load-failed", reason: expect.stringContaining(packageFolder) });
  });

  it("takes the first folder whose package has an add-on, names the GPU, and computes", async () => {
    const [bare, whole] = [await standIn("throw 1;", false), await standIn(computingPackage({ isUsingGpuDevice: true, log: gpuLog }))];
    const opened = await openTfjsGpu({ folders: [bare.folder, whole.folder] });
    expect(opened).toMatchObject({ isOpen: true, isGpu: true });
    if (!opened.isOpen) return;
    expect(opened.device).toMatchObject({ name: "tfjs", device: "NVIDIA A100-SXM4-40GB (TensorFlow 2.9.1, tfjs-node-gpu 4.22.0)" });
    const values = [new Float32Array(256).fill(1), new Float32Array(256).fill(5)];
    expect(await opened.device.weightedSum({ values }, [1, 2])).toEqual(new Float32Array(256).fill(11));
    expect(Object.keys(util)).not.toContain("isNullOrUndefined");
  });

  it("takes a TensorFlow on the CPU where that is allowed, and says that it is one", async () => {
    const { folder } = await standIn(computingPackage({ isUsingGpuDevice: false }));
    const opened = await openTfjsGpu({ folders: [folder], isCpuAllowed: true });
    expect(opened).toMatchObject({ isOpen: true, isGpu: false, device: { device: "cpu (TensorFlow 2.9.1, tfjs-node-gpu 4.22.0)" } });
  });

  it("does not load a second TensorFlow into the process", async () => {
    const { folder } = await standIn(computingPackage({ isUsingGpuDevice: true }));
    const other = join(folder, "other", "node_modules", "@tensorflow", "tfjs-node");
    await mkdir(other, { recursive: true });
    await writeFile(join(other, "index.js"), "");
    createRequire(import.meta.url)(other);
    expect(await openTfjsGpu({ folders: [folder] })).toMatchObject({
      isOpen: false,
      kind: "other-tfjs",
      reason: expect.stringContaining(other),
    });
  });

  it("says which CUDA the TensorFlow of pip wants, and where its libraries lie", async () => {
    const { folder, packageFolder } = await standIn(computingPackage({ isUsingGpuDevice: false, log: noCudaLog }));
    const tensorflow = join(packageFolder, "deps", "lib");
    await mkdir(join(tensorflow, "python", "platform"), { recursive: true });
    const built = (info: string): Promise<void> =>
      writeFile(join(tensorflow, "python", "platform", "build_info.py"), `build_info = OrderedDict([${info}])`);
    await built("('cuda_version', '12.5.1'), ('cudnn_version', '9'), ('is_cuda_build', True)");
    await mkdir(join(packageFolder, "deps", "nvidia", "cudnn", "lib"), { recursive: true });
    expect(await openTfjsGpu({ folders: [folder] })).toMatchObject({
      kind: "no-gpu-device",
      reason: expect.stringContaining("it wants CUDA 12.5.1 and cuDNN 9."),
      advice: `Start the program with LD_LIBRARY_PATH=${join(packageFolder, "deps", "nvidia", "cudnn", "lib")}.`,
    });
    await built("('is_cuda_build', False)");
    expect(await openTfjsGpu({ folders: [folder] })).toMatchObject({
      reason: expect.stringContaining("it is built for CPUs only."),
      advice: expect.stringContaining("pip install 'tensorflow[and-cuda]'"),
    });
  });
});
