import { join } from "node:path";
import type { Json } from "@flare-ts/contracts/errors";
import { probeInChild } from "../device/probe-in-child.js";
import { quoted } from "../peer-text.js";
import { type FoundTfjsGpu, findTfjsGpu } from "./find-tfjs-gpu.js";
import { readTensorFlowBuild } from "./tensorflow-build.js";
import { addonMissing, hung, loadFailed, noGpuDevice, packageMissing, searchFailed, type TfjsGpuAbsence } from "./tfjs-gpu-absence.js";

export interface ProbeTfjsGpuInit {
  /** Where to look for `@tensorflow/tfjs-node-gpu`, such as the user's project and the folder of `flare gpu setup`. */
  readonly folders: readonly string[];
  /** On to take a TensorFlow that computes on the CPU, to try the code without a GPU. @default false */
  readonly isCpuAllowed?: boolean | undefined;
  /** @default 120 000; a GPU that is newer than TensorFlow has kernels compiled for it at the first start */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a probe of `@tensorflow/tfjs-node-gpu` found: a device that computes, or why there is none. */
export type TfjsGpuProbe =
  | { readonly isUsable: true; readonly found: FoundTfjsGpu; readonly isGpu: boolean; readonly description: string }
  | ({ readonly isUsable: false } & TfjsGpuAbsence);

/**
 * Finds out whether TensorFlow.js computes on a GPU here, by loading it and adding numbers in a process of its own: a
 * TensorFlow that does not fit aborts its process, and one without its CUDA computes on the CPU without a word.
 *
 * @throws `internal/aborted`
 */
export async function probeTfjsGpu(init: ProbeTfjsGpuInit): Promise<TfjsGpuProbe> {
  const { folders, isCpuAllowed = false, timeoutMs = 120_000, signal } = init;
  let found: FoundTfjsGpu | undefined;
  try {
    found = findTfjsGpu(folders);
  } catch (cause) {
    return absent(searchFailed(cause instanceof Error ? cause.message : String(cause)));
  }
  if (found === undefined) return absent(packageMissing(folders));
  if (!found.hasAddon) return absent(addonMissing(found));
  const outcome = await probeInChild({
    program,
    argument: { folder: found.folder },
    timeoutMs,
    ...(signal === undefined ? {} : { signal }),
  });
  if (outcome.kind === "failed") return absent((outcome.isTimeout ? hung : loadFailed)(found, outcome.reason));
  const answer = readAnswer(outcome.answer);
  if (answer === undefined || answer.sum !== 9) return absent(loadFailed(found, `it answered ${quoted(JSON.stringify(outcome.answer))}.`));
  const build = readTensorFlowBuild(join(found.folder, "deps", "lib"), answer.tensorflow);
  if (!answer.isGpu && !isCpuAllowed) return absent(noGpuDevice(build, toldLines(outcome.log)));
  const versions = `TensorFlow ${answer.tensorflow}, tfjs-node-gpu ${found.version}`;
  return { isUsable: true, found, isGpu: answer.isGpu, description: `${answer.isGpu ? gpuName(outcome.log) : "cpu"} (${versions})` };
}

// TensorFlow.js 4.22 calls functions of `util` that newer versions of Node lack; see openTfjsGpu. TensorFlow names the GPU in its
// log only, and would take the memory of all GPUs.
const program = `
  import { createRequire } from "node:module";
  import util from "node:util";
  process.env.TF_CPP_MIN_LOG_LEVEL = "0";
  process.env.TF_FORCE_GPU_ALLOW_GROWTH = "true";
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
  const tf = createRequire(argument.folder + "/package.json")(argument.folder);
  await tf.ready();
  const { isUsingGpuDevice, binding } = tf.backend();
  const [sum] = await tf.add(tf.tensor1d(Float32Array.of(4), "float32"), tf.tensor1d(Float32Array.of(5), "float32")).data();
  answer({ isGpu: isUsingGpuDevice === true, tensorflow: String(binding.TF_Version), sum });`;

interface ProbeAnswer {
  readonly isGpu: boolean;
  readonly tensorflow: string;
  readonly sum: number;
}

function readAnswer(answer: Json): ProbeAnswer | undefined {
  const { isGpu, tensorflow, sum } = (answer ?? {}) as { readonly [key: string]: Json };
  return typeof isGpu === "boolean" && typeof tensorflow === "string" && typeof sum === "number" ? { isGpu, tensorflow, sum } : undefined;
}

function absent(absence: TfjsGpuAbsence): TfjsGpuProbe {
  return { isUsable: false, ...absence };
}

/** The name in the last `Created device …:GPU:0 …: name: NVIDIA A100, pci bus id: …`; of several GPUs, tfjs-node takes the last. */
function gpuName(log: string): string {
  const names = [...log.matchAll(/device:GPU:\d.*?\bname: (.+?), pci bus id/g)].map((match) => match[1]);
  return names.at(-1) ?? "an NVIDIA GPU";
}

/** What TensorFlow said that may tell why: its last warnings and errors, without times and places in its source. */
function toldLines(log: string): readonly string[] {
  const lines = log.split("\n").filter((line) => /(?:^|: )[EWF](?:\d{4})? .*\]/.test(line));
  return lines.slice(-3).map((line) => line.replace(/^.*?\.(cc|h):\d+\] /, "").slice(0, 300));
}
