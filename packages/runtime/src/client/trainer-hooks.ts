import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { programPath } from "../installed.js";
import { strippedFolderVariable, strippedName } from "./stripped-name.js";

/** What a resolve hook gives back. */
interface Resolved {
  readonly url: string;
  readonly shortCircuit: boolean;
}

/**
 * Module hook that lets a script in a job's folder, which has no `node_modules`, import `@flare-ts/runtime/client` and
 * `@flare-ts/aggregator` as they are installed beside this file.
 */
export function resolve<Context extends object, Result>(
  specifier: string,
  context: Context,
  nextResolve: (specifier: string, context: Context) => Result,
): Result | Resolved {
  if (specifier === "@flare-ts/runtime/client") return { url: pathToFileURL(programPath("client/index")).href, shortCircuit: true };
  if (specifier === "@flare-ts/aggregator" || specifier === "@flare-ts/aggregator/safetensors")
    return nextResolve(specifier, { ...context, parentURL: import.meta.url });
  return nextResolve(specifier, context);
}

/** What a load hook gives back. */
interface Loaded {
  readonly format: "module";
  readonly source: string;
  readonly shortCircuit: true;
}

/**
 * Module hook that loads a script in TypeScript as it was stripped of its types before the trainer was started: loaded as it is, it
 * would bring Node's compiler along. A script that was changed or written since is loaded as it is.
 */
export function load<Context extends { readonly format?: string | null | undefined }, Result>(
  url: string,
  context: Context,
  nextLoad: (url: string, context: Context) => Result,
): Result | Loaded {
  const folder = process.env[strippedFolderVariable];
  const source = folder === undefined || context.format !== "module-typescript" ? undefined : strippedSource(url, folder);
  return source === undefined ? nextLoad(url, context) : { format: "module", source, shortCircuit: true };
}

function strippedSource(url: string, folder: string): string | undefined {
  try {
    return readFileSync(join(folder, strippedName(readFileSync(fileURLToPath(url), "utf8"))), "utf8");
  } catch {
    return undefined;
  }
}
