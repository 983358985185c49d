import { builtinModules } from "node:module";
import { dirname, join, normalize, relative } from "node:path";
import { readImports } from "./read-imports.mjs";

const builtins = new Set(builtinModules);

/**
 * Checks the imports of one package. `files`: path (relative to the package) to text. `entries`: every public entry of every
 * sibling. Returns one line per offence, and the graph of its files for the search for cycles.
 */
export function checkPackage({ folder, manifest, rule, files, entries }) {
  const offences = [];
  const graph = new Map();
  for (const [path, text] of files) {
    const isTest = /\.(test|bench|test-support|reference)\.tsx?$/.test(path) || path.startsWith("test/");
    const declared = new Set([
      ...Object.keys(manifest.dependencies ?? {}),
      ...Object.keys(manifest.peerDependencies ?? {}),
      ...Object.keys(manifest.optionalDependencies ?? {}),
      // What is bundled needs nothing where it is installed.
      ...(isTest || rule.isBundled ? Object.keys(manifest.devDependencies ?? {}) : []),
    ]);
    const denied = rule.denied.filter((name) => !rule.except?.[path]?.includes(name));
    const siblings = new Set([...rule.siblings, ...(isTest ? (rule.tests ?? []) : [])]);
    const edges = [];
    for (const { specifier, statement, line } of readImports(text)) {
      const say = (what) => offences.push(`${folder}/${path}:${line}: ${what}`);
      if (specifier.startsWith(".")) {
        const target = normalize(join(dirname(path), specifier));
        if (target.startsWith("..")) {
          if (!/^vitest\.config\.ts$/.test(path)) say(`'${specifier}' leaves the package; import its public entry`);
        } else edges.push(sourceOf(target, files));
      } else if (specifier.startsWith("node:")) {
        const name = specifier.slice("node:".length);
        if (denied.includes(name) && !isTest && !isPure(name, statement)) say(`${folder} must not use ${specifier}`);
      } else if (builtins.has(specifier)) {
        say(`'${specifier}' lacks the prefix node:`);
      } else if (specifier.startsWith("@flare-ts/")) {
        const isSelf = packageOf(specifier) === manifest.name;
        if (isSelf && !isTest) say(`'${specifier}' is the package itself`);
        else if (!entries.has(specifier)) say(`'${specifier}' is no public entry`);
        else if (isSelf) continue;
        else if (!siblings.has(specifier)) say(`${folder} may not import ${specifier}`);
        else if (!declared.has(packageOf(specifier))) say(`${packageOf(specifier)} is not among the dependencies in package.json`);
      } else if (!declared.has(packageOf(specifier)) && !isFromRoot(specifier, path, isTest)) {
        say(`${packageOf(specifier)} is not among the dependencies in package.json`);
      }
    }
    graph.set(path, edges);
  }
  return { offences, graph };
}

/** The source file that a relative import means: what ends in `.js` was written in TypeScript, with or without JSX. */
function sourceOf(target, files) {
  const withJsx = target.replace(/\.js$/, ".tsx");
  return files.has(withJsx) ? withJsx : target.replace(/\.js$/, ".ts");
}

/** Whether an import of `node:net` takes nothing but the functions that look at the text of an address. */
function isPure(name, statement) {
  const names = /^import\s*\{([^}]*)\}/
    .exec(statement)?.[1]
    ?.split(",")
    .map((word) => word.trim());
  return name === "net" && names !== undefined && names.every((word) => ["", "isIP", "isIPv4", "isIPv6"].includes(word));
}

/** Tools of the root that tests and configurations may import without naming them again. */
function isFromRoot(specifier, path, isTest) {
  return (isTest || path.endsWith(".config.ts")) && ["vitest", "vitest/config", "fast-check"].includes(specifier);
}

function packageOf(specifier) {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Cycles in a graph of files or packages, each as `a -> b -> a`. */
export function findCycles(graph) {
  const cycles = [];
  const state = new Map();
  const visit = (node, trail) => {
    state.set(node, "open");
    for (const next of graph.get(node) ?? []) {
      if (!graph.has(next)) continue;
      if (state.get(next) === "open")
        cycles.push([...trail.slice(trail.indexOf(next)), next].map((name) => relative("", name)).join(" -> "));
      else if (!state.has(next)) visit(next, [...trail, next]);
    }
    state.set(node, "done");
  };
  for (const node of graph.keys()) if (!state.has(node)) visit(node, [node]);
  return cycles;
}
