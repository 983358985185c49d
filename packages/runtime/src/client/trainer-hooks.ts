import { fileURLToPath } from "node:url";

interface Resolved {
  readonly url: string;
  readonly format?: string | null;
  readonly shortCircuit?: boolean;
}

/** Packages that a script of a job may import by name, as installed beside this file. */
const installed: Readonly<Record<string, string>> = Object.freeze({
  "@flare-ts/runtime/client": new URL("./index.js", import.meta.url).href,
  "@flare-ts/aggregator": import.meta.resolve("@flare-ts/aggregator"),
});

/** Module hook that lets a script in a job's folder, which has no `node_modules`, import the Client API. */
export function resolve<Context, Result>(
  specifier: string,
  context: Context,
  nextResolve: (specifier: string, context: Context) => Result,
): Result | Resolved {
  const url = Object.hasOwn(installed, specifier) ? installed[specifier] : undefined;
  return url === undefined ? nextResolve(specifier, context) : { url, shortCircuit: true };
}

/** Path of the module to give to `node --import`; the built one, also when this file runs from its source. */
export const trainerRegisterPath = fileURLToPath(new URL("../../dist/client/trainer-register.js", import.meta.url));
