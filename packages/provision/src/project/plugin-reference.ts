import type { Problem } from "@flare-ts/contracts";
import type { DocumentPath, Findings } from "./findings.js";

/** A builder or packager of the user's, as the project file names it. */
export interface PluginReference {
  /** Path of a JavaScript module, from the custom folder. */
  readonly module: string;
  /** Name of what the module exports. @default "default" */
  readonly exportName: string;
  /** The `args` of the project file. */
  readonly args: Readonly<Record<string, unknown>>;
  /** Makes a problem that stands at the line that names the module. */
  readonly problem: (message: string) => Problem;
}

/** Whether a builder's `path` is that of a module and not the name of a Python class. */
export function isModulePath(path: string): boolean {
  return path.startsWith(".") || /\.[cm]?js(?:#|$)/.test(path);
}

/** Reads `./my-builder.mjs` or `./my-builder.mjs#exportName`. */
export function readPluginReference(
  { path, args }: { readonly path: string; readonly args?: Record<string, unknown> | null | undefined },
  at: DocumentPath,
  findings: Findings,
): PluginReference {
  const hash = path.lastIndexOf("#");
  const module = hash < 0 ? path : path.slice(0, hash);
  const exportName = hash < 0 ? "default" : path.slice(hash + 1);
  const pathOf = [...at, "path"];
  if (!/\.[cm]?js$/.test(module)) findings.mistake(pathOf, `'${module}' is not a JavaScript module: its name ends in .mjs, .js or .cjs`);
  if (!/^[A-Za-z_$][A-Za-z0-9_$]*$/.test(exportName)) findings.mistake(pathOf, `'${exportName}' cannot be the name of an export`);
  return Object.freeze({ module, exportName, args: args ?? {}, problem: findings.problemAt(pathOf) });
}
