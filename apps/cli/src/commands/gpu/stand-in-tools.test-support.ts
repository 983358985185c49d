import { execFile } from "node:child_process";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { missingTools } from "./missing-tools.js";

/** Programs that a build needs and this machine lacks; tests that build are skipped without them, and name them. */
export const missingForBuilds = missingTools(["g++", "make", "python3"], process.env["PATH"]);

/** What the stand-in of npm does when it is run. */
export interface StandInNpm {
  /** What the package says of its device, as JavaScript. */
  readonly gpus?: string;
  /** Instead of installing. @default installs */
  readonly instead?: "fails" | "hangs";
  /** Source of the add-on. @default one that asks TensorFlow */
  readonly addon?: string;
}

/** Makes a folder with a program `npm` that installs stand-ins; other programs are linked from where they are. */
export async function standInNpm(folder: string, init: StandInNpm = {}, tools: readonly string[] = []): Promise<string> {
  const bin = join(folder, "bin");
  await mkdir(bin);
  for (const tool of tools) await symlink(await which(tool), join(bin, tool));
  const nodeGyp = dirname(fileURLToPath(import.meta.resolve("node-gyp/package.json")));
  const instead = { fails: "console.error('npm error network'); process.exit(1);", hangs: "console.error('npm waits'); for (;;);" };
  const program = `#!${process.execPath}
    const fs = require("node:fs");
    const { join } = require("node:path");
    ${init.instead === undefined ? "" : instead[init.instead]}
    const modules = join(process.argv[process.argv.indexOf("--prefix") + 1], "node_modules");
    if (process.argv.at(-1).startsWith("node-gyp@")) {
      fs.mkdirSync(modules, { recursive: true });
      fs.symlinkSync(${JSON.stringify(nodeGyp)}, join(modules, "node-gyp"));
    } else {
      const place = join(modules, "@tensorflow", "tfjs-node-gpu");
      fs.mkdirSync(join(place, "binding"), { recursive: true });
      for (const [name, text] of Object.entries(${JSON.stringify(packageFiles(init))})) fs.writeFileSync(join(place, name), text);
      if (!process.argv.includes("--ignore-scripts")) {
        fs.mkdirSync(join(place, "lib", "napi-v8"), { recursive: true });
        fs.writeFileSync(join(place, "lib", "napi-v8", "tfjs_binding.node"), "downloaded");
      }
    }`;
  await writeFile(join(bin, "npm"), program);
  await chmod(join(bin, "npm"), 0o755);
  return bin;
}

/** A package that is laid out and built as the real one is, and adds numbers without TensorFlow. */
function packageFiles({ gpus = "addon.gpus()", addon = askingAddon }: StandInNpm): Readonly<Record<string, string>> {
  return {
    "package.json": '{ "name": "@tensorflow/tfjs-node-gpu", "version": "4.22.0", "main": "index.js" }',
    "index.js": `
      const fs = require("node:fs");
      const path = require.resolve("./lib/napi-v8/tfjs_binding.node");
      const addon = fs.readFileSync(path, "latin1") === "downloaded" ? { version: () => "2.9.1" } : require(path);
      exports.ready = async () => {};
      exports.backend = () => ({ isUsingGpuDevice: ${gpus} > 0, binding: { TF_Version: addon.version() } });
      exports.tensor1d = ([value]) => value;
      exports.add = (a, b) => ({ data: async () => [a + b] });`,
    "binding.gyp": `{
      "variables": { "tensorflow_include_dir": "<(module_root_dir)/deps/include" },
      "targets": [
        {
          "target_name": "tfjs_binding",
          "sources": ["binding/addon.cc"],
          "include_dirs": ["<(tensorflow_include_dir)"],
          "libraries": ["-Wl,-rpath,\\\\$$ORIGIN/../../deps/lib", "-ltensorflow", "-ltensorflow_framework"],
          "library_dirs": ["<(module_root_dir)/deps/lib"],
        },
        {
          "target_name": "action_after_build",
          "type": "none",
          "dependencies": ["<(module_name)"],
          "copies": [{ "files": ["<(PRODUCT_DIR)/<(module_name).node"], "destination": "<(module_path)" }],
        },
      ],
      "defines": ["NAPI_VERSION=<(napi_build_version)"],
    }`,
    "binding/addon.cc": addon,
  };
}

const askingAddon = `
  #include <node_api.h>
  #include "tensorflow/c/eager/c_api.h"
  static napi_value version(napi_env env, napi_callback_info) {
    napi_value value;
    napi_create_string_utf8(env, TF_Version(), NAPI_AUTO_LENGTH, &value);
    return value;
  }
  static napi_value gpus(napi_env env, napi_callback_info) {
    napi_value value;
    napi_create_int32(env, TF_Gpus(), &value);
    return value;
  }
  NAPI_MODULE_INIT() {
    napi_property_descriptor all[] = {
      {"version", nullptr, version, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"gpus", nullptr, gpus, nullptr, nullptr, nullptr, napi_default, nullptr},
    };
    napi_define_properties(env, exports, 2, all);
    return exports;
  }`;

/**
 * Makes site-packages with a TensorFlow of three functions, laid out as pip does: it looks for CUDA when it is asked for GPUs,
 * from its own folder.
 */
export async function standInTensorflow(folder: string, hasCuda: boolean): Promise<string> {
  const [tensorflow, cuda] = [join(folder, "site-packages", "tensorflow"), join(folder, "site-packages", "nvidia", "cuda_runtime", "lib")];
  const headers = join(tensorflow, "include", "tensorflow", "c", "eager");
  await mkdir(headers, { recursive: true });
  await mkdir(cuda, { recursive: true });
  await writeFile(join(headers, "c_api.h"), 'extern "C" { const char *TF_Version(void); int TF_Gpus(void); }');
  const framework = join(tensorflow, "libtensorflow_framework.so.2");
  await compile("int TF_Framework(void) { return 2; }", framework, ["-Wl,-soname,libtensorflow_framework.so.2"]);
  const looking = `
    #include <dlfcn.h>
    const char *TF_Version(void) { return "2.99.0"; }
    int TF_Gpus(void) { return dlopen("libcudart.so.12", RTLD_NOW) ? 1 : 0; }`;
  await compile(looking, join(tensorflow, "libtensorflow_cc.so.2"), [
    "-Wl,-soname,libtensorflow_cc.so.2",
    "-Wl,-rpath,$ORIGIN/../nvidia/cuda_runtime/lib",
  ]);
  if (hasCuda) await compile("int cudaVersion(void) { return 12; }", join(cuda, "libcudart.so.12"), []);
  return tensorflow;
}

async function compile(source: string, output: string, flags: readonly string[]): Promise<void> {
  const [file, run] = [`${output}.c`, promisify(execFile)];
  await writeFile(file, source);
  await run("g++", ["-x", "c", "-shared", "-fPIC", "-o", output, file, ...flags]);
}

async function which(tool: string): Promise<string> {
  const { stdout } = await promisify(execFile)("sh", ["-c", `command -v ${tool}`]);
  return stdout.trim();
}
