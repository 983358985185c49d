import { resolve } from "node:path";
import { probeTfjsGpu, type TfjsGpuProbe, tfjsGpuFolder, tfjsGpuFolderVariable } from "@flare-ts/aggregator";
import { FlareError } from "@flare-ts/contracts";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { checkPlace, createDraft, draftPath } from "./draft-folder.js";
import { missingTools } from "./missing-tools.js";
import { runTool } from "./run-tool.js";
import { type RunStepTool, type SetupStep, stockSteps, tensorflowSteps } from "./setup-steps.js";
import { tensorflowFolder } from "./tensorflow-folder.js";

export interface SetupGpuOptions {
  /** As typed. */
  readonly tensorflow: string | undefined;
  readonly isStock: boolean;
  /** As typed. */
  readonly folder: string | undefined;
  readonly isCpuAllowed: boolean;
  readonly isDryRun: boolean;
}

/** Puts `@tensorflow/tfjs-node-gpu` in place and tries it; all of it, or nothing. */
export async function setupGpu(context: CommandContext, options: SetupGpuOptions): Promise<CommandOutput> {
  const { env, cwd, signal } = context;
  const folder = options.folder === undefined ? tfjsGpuFolder(env, cwd) : resolve(cwd, options.folder);
  checkPlatform(options);
  const steps = stepsOf(context, options, draftPath(folder));
  checkPlace(folder);
  if (options.isDryRun) {
    const lines = [...steps.map(({ text }) => text), "load it in a process of its own and add two numbers", `move it to ${folder}`];
    return { data: { folder, steps: lines, is_dry_run: true }, text: ["This would be done:", ...lines.map((line) => `  ${line}`)] };
  }
  const draft = await createDraft(folder);
  try {
    for (const step of steps) {
      context.report({ event: "step", text: step.text }, step.text);
      await step.run(toolRunner(context));
    }
    context.report({ event: "step", text: "trying it" }, "trying it");
    // What it computes on does not depend on where its folder is.
    const probe = await probeTfjsGpu({ folders: [draft.path], isCpuAllowed: options.isCpuAllowed, signal });
    const isWorking = probe.isUsable || probe.kind === "no-gpu-device";
    if (!isWorking) throw new FlareError("gpu/does-not-load", probe.reason, { facts: { kind: probe.kind } });
    await draft.putInPlace();
    return outcome(context, folder, probe);
  } finally {
    await draft.discard();
  }
}

/** @throws `gpu/platform-unsupported` */
function checkPlatform({ isStock, isCpuAllowed }: SetupGpuOptions): void {
  const { platform, arch } = process;
  // The package's own download is for CPUs alone elsewhere.
  const isSupported = platform === "linux" && (!isStock || arch === "x64" || isCpuAllowed);
  if (!isSupported) throw new FlareError("gpu/platform-unsupported", `This is ${platform} on ${arch}.`, { facts: { platform, arch } });
}

/** @throws `cli/invalid-arguments`, `gpu/tensorflow-not-found`, `gpu/tools-missing` */
function stepsOf({ env, cwd }: CommandContext, { tensorflow, isStock }: SetupGpuOptions, draft: string): readonly SetupStep[] {
  if (tensorflow === undefined && !isStock) {
    throw new FlareError("cli/invalid-arguments", "Say which TensorFlow: --tensorflow <dir> or --stock.");
  }
  const steps =
    tensorflow === undefined ? stockSteps(draft) : tensorflowSteps(draft, tensorflowFolder(tensorflow, cwd), env["LIBRARY_PATH"]);
  const missing = missingTools(
    tensorflow === undefined ? ["npm"] : ["npm", "make", (env["CXX"] ?? "g++").split(" ")[0] ?? "", "python3"],
    env["PATH"],
  );
  if (missing.length === 0) return steps;
  throw new FlareError("gpu/tools-missing", `There is no ${missing.join(", no ")} on the PATH.`, { facts: { missing } });
}

function toolRunner({ env, signal, terminal, format }: CommandContext): RunStepTool {
  // What an npm that started this command says of its own package is not meant for ours.
  const kept = Object.entries(env).filter(([name]) => !/^npm_(package_|lifecycle_|config_(workspaces?|.*prefix|global)$)/i.test(name));
  const isShown = format === "txt" && terminal.isInteractive;
  return (command, args, cwd, more = {}) => runTool({ command, args, cwd, env: { ...Object.fromEntries(kept), ...more }, signal, isShown });
}

/** @throws `gpu/no-device` */
function outcome({ env, cwd }: CommandContext, folder: string, probe: TfjsGpuProbe): CommandOutput {
  if (!probe.isUsable) {
    throw new FlareError("gpu/no-device", `It is in ${folder}. ${probe.reason} ${probe.advice}`, { facts: { folder } });
  }
  const { isGpu, description } = probe;
  return {
    data: { folder, device: description, is_gpu: isGpu },
    text: [`TensorFlow.js is in ${folder} and computes on ${description}.`],
    hints: [
      ...(folder === tfjsGpuFolder(env, cwd) ? [] : [`Programs find it with ${tfjsGpuFolderVariable}=${folder}`]),
      "What runs on this machine: flare doctor engines",
    ],
  };
}
