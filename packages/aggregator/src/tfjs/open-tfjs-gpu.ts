import { createRequire } from "node:module";
import { join, sep } from "node:path";
import util from "node:util";
import type { CombineDevice } from "../device/combine-device.js";
import { type ProbeTfjsGpuInit, probeTfjsGpu } from "./probe-tfjs-gpu.js";
import { readTensorFlowBuild } from "./tensorflow-build.js";
import type { Tfjs } from "./tfjs.js";
import { tfjsDevice } from "./tfjs-device.js";
import { loadFailed, noGpuDevice, otherTfjs, type TfjsGpuAbsence } from "./tfjs-gpu-absence.js";

const otherCopies = /[\\/]@tensorflow[\\/]tfjs-node(-gpu)?[\\/]/;

/** A device, or why there is none. */
export type OpenedTfjsGpu =
  | { readonly isOpen: true; readonly device: CombineDevice; readonly isGpu: boolean }
  | ({ readonly isOpen: false } & TfjsGpuAbsence);

/**
 * Opens the GPU through `@tensorflow/tfjs-node-gpu`, after a probe in a process of its own has found that it computes there.
 * Everything that stands against it is a value. TensorFlow.js has one backend for the whole process: opening sets it, and who
 * sets another afterwards ends the device.
 *
 * Its code has run on TensorFlow's CPU kernels; on a GPU it was never tried.
 *
 * @throws `internal/aborted`
 */
export async function openTfjsGpu(init: ProbeTfjsGpuInit): Promise<OpenedTfjsGpu> {
  const probe = await probeTfjsGpu(init);
  if (!probe.isUsable) return { isOpen: false, kind: probe.kind, reason: probe.reason, advice: probe.advice };
  const { found, description } = probe;
  const require = createRequire(join(found.folder, "package.json"));
  const other = Object.keys(require.cache).find((path) => otherCopies.test(path) && !path.startsWith(found.folder + sep));
  if (other !== undefined) return { isOpen: false, ...otherTfjs(other) };
  restoreUtil();
  try {
    const tf = require(found.folder) as TfjsNode;
    await tf.ready();
    const { isUsingGpuDevice, binding } = tf.backend();
    // The probe's process may have had the room on the GPU that this one does not get.
    if (probe.isGpu && !isUsingGpuDevice) {
      return { isOpen: false, ...noGpuDevice(readTensorFlowBuild(join(found.folder, "deps", "lib"), binding.TF_Version), []) };
    }
    return { isOpen: true, device: tfjsDevice({ tf, description }), isGpu: isUsingGpuDevice };
  } catch (cause) {
    return { isOpen: false, ...loadFailed(found, cause instanceof Error ? cause.message : String(cause)) };
  }
}

interface TfjsNode extends Tfjs {
  ready(): Promise<void>;
  backend(): { readonly isUsingGpuDevice: boolean; readonly binding: { readonly TF_Version: string } };
}

/**
 * TensorFlow.js 4.22 calls two functions of `node:util` that Node gives up: `isNullOrUndefined` is gone since 23, `isArray` is
 * deprecated. What is missing is put back as it was, and stays, since it is looked up at each call; who lists the module's
 * names does not see it.
 */
function restoreUtil(): void {
  const removed = { isNullOrUndefined: (given: unknown) => given === null || given === undefined, isArray: Array.isArray };
  for (const [name, value] of Object.entries(removed)) {
    if (!(name in util)) Object.defineProperty(util, name, { value, configurable: true, writable: true, enumerable: false });
  }
}
