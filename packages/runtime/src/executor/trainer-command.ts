import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { FlareError } from "@flare-ts/contracts/errors";
import type { ClientApiExecutorSettings, PsiItems } from "@flare-ts/contracts/job";
import { bootstrapVariable } from "../client/protocol.js";
import { strippedFolderVariable } from "../client/stripped-name.js";
import { programPath } from "../installed.js";
import type { SiteJobDescription } from "../job-process/job-channel.js";
import { oneArena } from "../process/malloc-settings.js";
import type { PsiProgram } from "../psi/psi-owners.js";
import { pythonCommand, pythonEnvironment, pythonTrainer, statisticsProgram } from "./python-trainer.js";
import { threadVariables } from "./thread-variables.js";
import { trainerPermissions } from "./trainer-permissions.js";

/** How a trainer is started. */
export interface TrainerCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface TrainerCommandInit {
  readonly settings: ClientApiExecutorSettings;
  readonly job: SiteJobDescription;
  readonly bootstrapPath: string;
  /** Folder for temporary files; inside the workspace. */
  readonly temporaryFolder: string;
  /** Folder with what its scripts are without their types; see `stripTypes`. */
  readonly strippedFolder: string;
  /** Values of the secrets that `env` names. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** Names of the secrets that the environment of an executor's trainer needs. */
export function secretNames({ env }: Pick<ClientApiExecutorSettings, "env">): readonly string[] {
  return [...new Set(Object.values(env).flatMap((value) => (typeof value === "string" ? [] : [value.from_secret])))];
}

/** The module that makes the Client API importable. */
const trainerRegister = pathToFileURL(programPath("client/trainer-register")).href;

/** What a trainer inherits of the job process's environment; everything else stays behind. */
const inherited = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "LANG",
  "LC_ALL",
  "LC_CTYPE",
  "TZ",
  "LD_LIBRARY_PATH",
  "CUDA_VISIBLE_DEVICES",
  "CUDA_DEVICE_ORDER",
  "NVIDIA_VISIBLE_DEVICES",
  ...threadVariables,
  "SystemRoot",
] as const;

/** Variables by which a job could switch the permission model off or load native code into the trainer. */
const unsafeInSandbox = /^(NODE_|LD_|DYLD_|OPENSSL_|SSL_|GLIBC_|MALLOC_|GCONV_PATH$|LOCPATH$)/;

/**
 * The command line and environment of a trainer. A script in JavaScript or TypeScript runs in this Node under its permission
 * model (see `trainerPermissions`). A script in Python and a `command` run with the rights of the site's own processes.
 *
 * @throws FlareError `client-api/script-missing`, `client-api/launch-failed`
 */
export async function trainerCommand(init: TrainerCommandInit): Promise<TrainerCommand> {
  const { settings, job, bootstrapPath, temporaryFolder, secrets } = init;
  if (settings.launch.kind === "attach") throw new TypeError("a trainer that attaches is started by hand");
  const own = Object.entries(settings.env).map(([name, value]) => [name, typeof value === "string" ? value : secrets[value.from_secret]]);
  const env: Record<string, string> = {};
  Object.assign(env, inheritedEnvironment(), { TMPDIR: temporaryFolder }, Object.fromEntries(own), { [bootstrapVariable]: bootstrapPath });
  if (job.gpus !== undefined) showOnlyGpus(job.gpus, env);
  // As many as every processor of the machine would be too many; what the site or the job itself says is meant so.
  if (job.cpus !== undefined) for (const name of threadVariables) env[name] ??= String(job.cpus);
  const custom = join(job.appFolder, "custom");
  if (settings.launch.kind === "statistics") {
    const program = statisticsProgram({ ...settings.launch.generator, environment: process.env, pythonPath: env["PYTHONPATH"] });
    // A job without code has no folder for it.
    return { ...program, env: { ...env, ...program.env }, cwd: existsSync(custom) ? custom : job.workspace };
  }
  if (settings.launch.kind === "psi") {
    return { ...psiCommand(settings.launch.items, { job, env }), cwd: existsSync(custom) ? custom : job.workspace };
  }
  const cwd = custom;
  if (settings.launch.kind === "command") {
    const [file = "", ...args] = settings.launch.command;
    return { file, args, env: { ...env, ...pythonEnvironment(env["PYTHONPATH"]) }, cwd };
  }
  if (settings.launch.path.endsWith(".py")) {
    const script = await scriptPath(cwd, settings.launch.path);
    const python = pythonTrainer({ script, args: settings.launch.args, environment: process.env, pythonPath: env["PYTHONPATH"] });
    return { file: python.file, args: python.args, env: { ...env, ...python.env }, cwd };
  }
  const unsafe = Object.keys(settings.env).find((name) => unsafeInSandbox.test(name));
  if (unsafe !== undefined) {
    throw new FlareError("client-api/launch-failed", `The executor's env sets ${unsafe}, which a script in the sandbox may not have.`, {
      facts: { variable: unsafe },
    });
  }
  const { path, args } = settings.launch;
  const script = await scriptPath(cwd, path);
  const readable = [job.modelsFolder, ...Object.values(job.datasets)];
  const permissions = trainerPermissions({ workspace: job.workspace, readable });
  const flags = [...permissions, ...typeStrippingFlags(), "--import", trainerRegister];
  const sandboxEnv = { ...env, [strippedFolderVariable]: init.strippedFolder, ...oneArena };
  return { file: process.execPath, args: [...flags, script, ...args], env: sandboxEnv, cwd };
}

/** Our own program, under the permission model; one that asks a class in Python has to start it, which the model would not allow. */
function psiCommand(items: PsiItems, { job, env }: { readonly job: SiteJobDescription; readonly env: Readonly<Record<string, string>> }) {
  const program: PsiProgram = { items, folder: join(job.workspace, job.site), python: pythonCommand(process.env) };
  const args = [programPath("psi/psi-main"), JSON.stringify(program)];
  if (items.kind === "class") return { file: process.execPath, args, env: { ...env, ...pythonEnvironment(env["PYTHONPATH"]) } };
  const permissions = trainerPermissions({ workspace: job.workspace, readable: [job.modelsFolder, ...Object.values(job.datasets)] });
  const threads = permissions.includes("--allow-worker") ? [] : ["--allow-worker"];
  // Node warns of threads, which are ours here.
  return {
    file: process.execPath,
    args: [...permissions, ...threads, "--disable-warning=SecurityWarning", ...args],
    env: { ...env, ...oneArena },
  };
}

/** Whatever the job's own settings say: the other GPUs are other jobs'. In another order the same numbers would be theirs. */
function showOnlyGpus(gpus: readonly string[], env: Record<string, string>): void {
  env["CUDA_VISIBLE_DEVICES"] = gpus.join(",");
  const { CUDA_DEVICE_ORDER: order } = process.env;
  if (order === undefined) delete env["CUDA_DEVICE_ORDER"];
  else env["CUDA_DEVICE_ORDER"] = order;
}

/** What a program that the job process starts gets of the environment. */
export function inheritedEnvironment(): Readonly<Record<string, string>> {
  const env: Record<string, string> = {};
  for (const name of inherited) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

async function scriptPath(custom: string, script: string): Promise<string> {
  if (!/\.([cm]?[jt]s|py)$/.test(script)) {
    throw new FlareError("client-api/launch-failed", `task_script_path '${script}' is not JavaScript, TypeScript or Python.`, {
      facts: { script },
    });
  }
  try {
    const [folder, path] = await Promise.all([realpath(custom), realpath(join(custom, script))]);
    if (path.startsWith(folder + sep)) return path;
  } catch {
    // Told below together with a path that leads out of the folder.
  }
  throw new FlareError("client-api/script-missing", `custom/${script} is not there.`, { facts: { script, folder: custom } });
}

/** Node 22 strips types without a flag since 22.18; before, the flag comes with a warning of its own. */
function typeStrippingFlags(): readonly string[] {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major > 22 || minor >= 18 ? [] : ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"];
}
