import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { FlareError } from "@flare-ts/contracts";
import { isBelow } from "../project/is-below.js";
import type { PluginReference } from "../project/plugin-reference.js";

/** A module of the user's that was loaded, with where it is named. */
export interface LoadedPlugin {
  readonly reference: PluginReference;
  /** Calls a method where there is one; what it throws is a `project/plugin-failed`. */
  call(method: string, ...values: readonly unknown[]): Promise<void>;
}

/**
 * Loads a module below the custom folder. What it exports is a class, made with the `args` of the project file, or an object.
 *
 * @param methods those that mean something; it must have at least one.
 * @throws FlareError `project/invalid` with the line that names it; `project/plugin-failed`.
 */
export async function loadPlugin(reference: PluginReference, customFolder: string, methods: readonly string[]): Promise<LoadedPlugin> {
  const file = await findModule(reference, customFolder);
  const module = await attempt(
    reference,
    "cannot be loaded",
    async () => (await import(pathToFileURL(file).href)) as Record<string, unknown>,
  );
  const exported = Object.hasOwn(module, reference.exportName) ? module[reference.exportName] : undefined;
  const isClass = typeof exported === "function";
  if (!isClass && (typeof exported !== "object" || exported === null)) {
    const names = Object.keys(module).join(", ") || "nothing";
    throw invalid(reference, `${reference.module} exports no class or object '${reference.exportName}'; it exports ${names}`);
  }
  const plugin = isClass
    ? await attempt(reference, "cannot be made", async () => new (exported as new (args: unknown) => object)(reference.args))
    : exported;
  const methodOf = (name: string): unknown => (plugin as Record<string, unknown>)[name];
  if (!methods.some((name) => typeof methodOf(name) === "function")) {
    throw invalid(reference, `'${reference.exportName}' of ${reference.module} has no method ${methods.join(", ")}`);
  }
  return {
    reference,
    call: async (name, ...values) => {
      const method = methodOf(name);
      if (typeof method !== "function") return;
      await attempt(reference, `failed in ${name}`, async () => {
        await Reflect.apply(method, plugin, values);
      });
    },
  };
}

async function findModule(reference: PluginReference, customFolder: string): Promise<string> {
  const folder = await realpath(customFolder).catch(() => resolve(customFolder));
  const file = resolve(folder, reference.module);
  const real = await realpath(file).catch(() => undefined);
  if (real === undefined) throw invalid(reference, `there is no module ${file}; --custom-folder says where modules are looked for`);
  if (!isBelow(folder, real)) throw invalid(reference, `${reference.module} does not lie below the custom folder ${folder}`);
  return real;
}

async function attempt<T>(reference: PluginReference, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof FlareError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const problems = [reference.problem(reason)];
    throw new FlareError("project/plugin-failed", `${reference.module} ${what}.`, { cause, problems, facts: { module: reference.module } });
  }
}

function invalid(reference: PluginReference, message: string): FlareError {
  const problem = reference.problem(message);
  const file = problem.file ?? reference.module;
  return new FlareError("project/invalid", `${file} has a mistake.`, { problems: [problem], facts: { file } });
}
