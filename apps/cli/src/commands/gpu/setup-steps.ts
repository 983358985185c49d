import { mkdir, rm, symlink } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { nodeHeadersFolder } from "./node-headers.js";
import type { ToolResult } from "./run-tool.js";
import { tensorflowLibraries } from "./tensorflow-folder.js";

/** One step of the set-up, in order. */
export interface SetupStep {
  /** What it does, as a line for people. */
  readonly text: string;
  readonly run: (run: RunStepTool) => Promise<void>;
}

/** Runs a program for a step; `env` is added to the environment. */
export type RunStepTool = (
  command: string,
  args: readonly string[],
  cwd: string,
  env?: Readonly<Record<string, string>>,
) => Promise<ToolResult>;

const tfjsGpu = "@tensorflow/tfjs-node-gpu@4.22.0";
const nodeGyp = "node-gyp@12.4.0";
const npmFlags = ["--no-audit", "--no-fund", "--save-exact"];

/** Steps that install the package as it is, which downloads its TensorFlow. */
export function stockSteps(draft: string): readonly SetupStep[] {
  return [npmInstall(draft, tfjsGpu, ["--foreground-scripts"])];
}

/** Steps that build the package's own add-on, unchanged, against a TensorFlow that pip installed. */
export function tensorflowSteps(draft: string, tensorflow: string, libraryPath: string | undefined): readonly SetupStep[] {
  const [tools, links] = [join(draft, "tools"), join(draft, "tools", "lib")];
  const folder = join(draft, "node_modules", "@tensorflow", "tfjs-node-gpu");
  const headers = nodeHeadersFolder();
  const gypArgs = [
    "configure",
    "build",
    // What node-pre-gyp would have said.
    "--module_name=tfjs_binding",
    `--module_path=${join(folder, "lib", "napi-v8")}`,
    "--napi_build_version=8",
    ...(headers === undefined ? [] : [`--nodedir=${headers}`]),
  ];
  return [
    npmInstall(draft, tfjsGpu, ["--ignore-scripts"]),
    npmInstall(tools, nodeGyp, ["--ignore-scripts"]),
    {
      text: `link the libraries and headers of ${tensorflow}`,
      run: async () => {
        await mkdir(join(folder, "deps"), { recursive: true });
        // The folder as a whole, not each library: TensorFlow looks for the CUDA libraries of pip from the folder that it is
        // loaded by, $ORIGIN/../nvidia, which leads through this link to where they are.
        await symlink(tensorflow, join(folder, "deps", "lib"));
        await symlink(join(tensorflow, "include"), join(folder, "deps", "include"));
        await mkdir(links);
        for (const [name, library] of Object.entries(tensorflowLibraries)) await symlink(join(tensorflow, library), join(links, name));
      },
    },
    {
      text: `node-gyp ${gypArgs.join(" ")} (in ${folder})${headers === undefined ? "; it downloads the headers of Node" : ""}`,
      run: async (run) => {
        const program = join(tools, "node_modules", "node-gyp", "bin", "node-gyp.js");
        const env = { LIBRARY_PATH: [links, libraryPath].filter((each) => each !== undefined && each !== "").join(delimiter) };
        const built = await run(process.execPath, [program, ...gypArgs], folder, env);
        if (!built.isDone) throw failure("gpu/build-failed", "node-gyp could not build TensorFlow's add-on", built);
      },
    },
    {
      text: "remove what was needed for the build alone",
      run: async () => {
        await rm(tools, { recursive: true });
        await rm(join(folder, "build"), { recursive: true });
      },
    },
  ];
}

function npmInstall(folder: string, what: string, flags: readonly string[]): SetupStep {
  const args = ["install", ...npmFlags, ...flags, "--prefix", folder, what];
  return {
    text: `npm ${args.join(" ")}`,
    run: async (run) => {
      await mkdir(folder, { recursive: true });
      const installed = await run("npm", args, folder);
      if (!installed.isDone) throw failure("gpu/download-failed", `npm could not install ${what}`, installed);
    },
  };
}

function failure(code: "gpu/build-failed" | "gpu/download-failed", what: string, { lastLines }: ToolResult): FlareError {
  const said = lastLines.length === 0 ? "; its output is above" : `:\n${lastLines.join("\n")}`;
  return new FlareError(code, `${what}${said}`, { facts: { lastLines } });
}
