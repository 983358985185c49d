import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

/** The environment variable that names the folder of `flare gpu setup` where it is another than the usual one. */
export const tfjsGpuFolderVariable = "FLARE_TFJS_GPU_DIR";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The folder where `flare gpu setup` puts `@tensorflow/tfjs-node-gpu`: what `FLARE_TFJS_GPU_DIR` names, else
 * `flare-ts/tfjs-gpu` in the user's folder for data.
 *
 * @see https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function tfjsGpuFolder(env: Environment, cwd: string): string {
  const named = env[tfjsGpuFolderVariable] ?? "";
  if (named !== "") return resolve(cwd, named);
  const data = env["XDG_DATA_HOME"] ?? "";
  return join(isAbsolute(data) ? data : join(env["HOME"] ?? homedir(), ".local", "share"), "flare-ts", "tfjs-gpu");
}

/** Where `@tensorflow/tfjs-node-gpu` is looked for: in the folder of `flare gpu setup`, then in that of the program's project. */
export function tfjsGpuFolders(env: Environment, cwd: string): readonly string[] {
  return [tfjsGpuFolder(env, cwd), cwd];
}
