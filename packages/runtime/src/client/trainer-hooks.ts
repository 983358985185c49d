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
  if (specifier === "@flare-ts/runtime/client") return { url: new URL("./index.js", import.meta.url).href, shortCircuit: true };
  if (specifier === "@flare-ts/aggregator" || specifier === "@flare-ts/aggregator/safetensors")
    return nextResolve(specifier, { ...context, parentURL: import.meta.url });
  return nextResolve(specifier, context);
}
