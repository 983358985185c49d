import { FlareError } from "@flare-ts/contracts/errors";
import { createEngine } from "./create-engine.js";
import type { CombineDevice } from "./device/combine-device.js";
import { probeTfjsGpu } from "./tfjs/probe-tfjs-gpu.js";

export interface DescribeEnginesInit {
  /** Where to look for `@tensorflow/tfjs-node-gpu`. */
  readonly folders: readonly string[];
  /** Opens the GPU through WebGPU, or gives a sentence that says why there is none. Without it WebGPU is not described. */
  readonly openWebgpu?: (() => Promise<{ readonly device: CombineDevice } | { readonly reason: string }>) | undefined;
  /** Aborting ends what is being tried. */
  readonly signal?: AbortSignal | undefined;
}

/** What can be said of one engine on this machine. */
export interface EngineDescription {
  /** The name that it is asked for by; `webgpu` and `gpu` compute on a GPU. */
  readonly engine: "wasm" | "js" | "webgpu" | "gpu";
  readonly isAvailable: boolean;
  /** What it runs on, in words, with versions; there where it is available. */
  readonly device?: string;
  /** Why it is not available, or not as fast as it could be. */
  readonly reason?: string;
  /** What to do to get it, with the commands. */
  readonly advice?: string;
}

/**
 * Tries every engine on this machine, those on a GPU by computing there, and describes each; one that fails is described too.
 *
 * @throws `internal/aborted`
 */
export async function describeEngines(init: DescribeEnginesInit): Promise<readonly EngineDescription[]> {
  return [
    await describeCpu("wasm"),
    await describeCpu("js"),
    ...(init.openWebgpu === undefined ? [] : [await describeWebgpu(init.openWebgpu)]),
    await describeTfjs(init),
  ];
}

async function describeCpu(engine: "wasm" | "js"): Promise<EngineDescription> {
  try {
    const chosen = await createEngine({ nowMs: () => performance.now() }, { engine });
    await chosen.engine.close();
    // That plain JavaScript was asked for is no news here.
    const reason = engine === "js" ? "" : chosen.reasons.join(" ");
    return { engine, isAvailable: true, device: chosen.device, ...(reason === "" ? {} : { reason }) };
  } catch (error) {
    const { message, row } = FlareError.from(error);
    return { engine, isAvailable: false, reason: message, advice: row.todo };
  }
}

async function describeWebgpu(open: NonNullable<DescribeEnginesInit["openWebgpu"]>): Promise<EngineDescription> {
  const opened = await open();
  if ("reason" in opened) {
    return {
      engine: "webgpu",
      isAvailable: false,
      reason: opened.reason,
      advice: "Run `npm install webgpu`, with a driver for Vulkan, Metal or Direct3D 12.",
    };
  }
  await opened.device.close();
  return { engine: "webgpu", isAvailable: true, device: opened.device.device };
}

async function describeTfjs({ folders, signal }: DescribeEnginesInit): Promise<EngineDescription> {
  const probe = await probeTfjsGpu({ folders, signal });
  if (probe.isUsable) return { engine: "gpu", isAvailable: true, device: probe.description };
  return { engine: "gpu", isAvailable: false, reason: probe.reason, advice: probe.advice };
}
