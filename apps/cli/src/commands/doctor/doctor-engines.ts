import { describeEngines, deviceOpeners, type EngineDescription, tfjsGpuFolders } from "@flare-ts/aggregator";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { softwareVersion } from "../../command-line/software-version.js";

/** Says which engines run here, on what, and of the others why not and what to do. */
export async function doctorEngines({ env, cwd, signal }: CommandContext): Promise<CommandOutput> {
  const engines = await describeEngines({ folders: tfjsGpuFolders(env, cwd), openWebgpu: deviceOpeners.webgpu, signal });
  const versions = { flare: softwareVersion(), node: process.versions.node, platform: process.platform, arch: process.arch };
  return {
    data: { ...versions, engines: engines.map(plain) },
    text: [`flare ${versions.flare} on Node ${versions.node}, ${versions.platform} ${versions.arch}`, ...engines.flatMap(engineLines)],
  };
}

function engineLines({ engine, isAvailable, device, reason, advice }: EngineDescription): readonly string[] {
  const head = isAvailable ? `runs on ${device ?? "this machine"}` : `does not run here. ${reason ?? ""}`;
  return [
    `${engine}: ${head}`,
    ...(isAvailable && reason !== undefined ? [`  ${reason}`] : []),
    ...(advice === undefined ? [] : [`  What to do: ${advice}`]),
  ];
}

function plain({ engine, isAvailable, device, reason, advice }: EngineDescription): CommandOutput["data"] {
  return { engine, is_available: isAvailable, device: device ?? null, reason: reason ?? null, advice: advice ?? null };
}
