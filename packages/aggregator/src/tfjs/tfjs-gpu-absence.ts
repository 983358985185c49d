import { type FoundTfjsGpu, tfjsGpuPackage } from "./find-tfjs-gpu.js";
import type { TensorFlowBuild } from "./tensorflow-build.js";

/** Why TensorFlow.js does not compute on a GPU here. */
export interface TfjsGpuAbsence {
  /**
   * `package-missing`: in none of the folders. `addon-missing`: the package without its add-on. `load-failed`: it throws, ends
   * the process, or computes wrongly. `hung`: it did not load in time. `no-gpu-device`: it would compute on the CPU.
   * `other-tfjs`: the process has loaded another TensorFlow.js for Node, and two cannot be in one process.
   */
  readonly kind: "package-missing" | "addon-missing" | "load-failed" | "hung" | "no-gpu-device" | "other-tfjs";
  /** A sentence or two. */
  readonly reason: string;
  /** What to do to get it, with the commands. */
  readonly advice: string;
}

const setUp = "flare gpu setup --tensorflow <site-packages/tensorflow>";
const withOtherWay = `Run \`${setUp}\`, or \`flare gpu setup --stock\` where CUDA 11.2 and cuDNN 8.1 are installed.`;

/** The package is in none of the folders. */
export function packageMissing(folders: readonly string[]): TfjsGpuAbsence {
  return { kind: "package-missing", reason: `${tfjsGpuPackage} is not found from ${folders.join(", ")}.`, advice: withOtherWay };
}

/** Whether the package is there could not be found out. */
export function searchFailed(cause: string): TfjsGpuAbsence {
  return { kind: "load-failed", reason: `Looking for ${tfjsGpuPackage} failed: ${cause}`, advice: `Put it in place anew: \`${setUp}\`.` };
}

/** The package is there without its add-on. */
export function addonMissing({ folder }: FoundTfjsGpu): TfjsGpuAbsence {
  const reason = `${tfjsGpuPackage} in ${folder} has no add-on: its install could not download libtensorflow, or scripts were off.`;
  return { kind: "addon-missing", reason, advice: withOtherWay };
}

/** It threw, ended its process, or computed something wrong. */
export function loadFailed({ folder }: FoundTfjsGpu, cause: string): TfjsGpuAbsence {
  const reason = `${tfjsGpuPackage} in ${folder} does not work: ${cause}`;
  return { kind: "load-failed", reason, advice: `Put it in place anew: \`${setUp}\`.` };
}

/** It did not load in time. */
export function hung({ folder }: FoundTfjsGpu, cause: string): TfjsGpuAbsence {
  const advice =
    "Look at `nvidia-smi`. A TensorFlow that is older than the GPU compiles its kernels at the first start, for minutes: try again.";
  return { kind: "hung", reason: `${tfjsGpuPackage} in ${folder} was given up: ${cause}`, advice };
}

/** TensorFlow works, and would compute on the CPU without a word. */
export function noGpuDevice(build: TensorFlowBuild, lines: readonly string[]): TfjsGpuAbsence {
  const wants = build.isCpuOnly ? "it is built for CPUs only" : `it wants CUDA ${build.cuda} and cuDNN ${build.cudnn}`;
  const said = lines.length === 0 ? "" : ` It wrote: ${lines.join(" | ")}`;
  const reason = `TensorFlow ${build.version} found no GPU and would compute on the CPU; ${wants}.${said}`;
  return { kind: "no-gpu-device", reason, advice: noGpuAdvice(build, lines) };
}

/** Two copies of TensorFlow in a process overwrite each other's registrations. */
export function otherTfjs(path: string): TfjsGpuAbsence {
  const reason = `This process has loaded another TensorFlow.js for Node, ${path}, and two cannot be in one process.`;
  return {
    kind: "other-tfjs",
    reason,
    advice: "Aggregate in a process of its own, or load @tensorflow/tfjs-node-gpu from one folder only.",
  };
}

function noGpuAdvice(build: TensorFlowBuild, lines: readonly string[]): string {
  if (build.isCpuOnly) return `Run \`pip install 'tensorflow[and-cuda]'\` and then \`${setUp}\`.`;
  const isLibraryMissing = lines.some((line) => /dlopen|dynamic library|dso_loader/i.test(line));
  if (isLibraryMissing && build.libraryFolders.length > 0) {
    return `Start the program with LD_LIBRARY_PATH=${build.libraryFolders.join(":")}.`;
  }
  return `Look at \`nvidia-smi\` and CUDA_VISIBLE_DEVICES; install CUDA ${build.cuda} and cuDNN ${build.cudnn}, or run \`${setUp}\` with a TensorFlow for the CUDA that is there.`;
}
