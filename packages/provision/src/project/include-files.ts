import { realpathSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { type DocumentTree, FlareError, limits, readDocumentTree } from "@flare-ts/contracts";
import { entriesOf, listOf, mapOf, partOf } from "./document-parts.js";
import { isBelow } from "./is-below.js";
import { readSmallFile } from "./read-small-file.js";

/**
 * Merges the files that a document includes, at any depth: what stands later wins, key by key, as in FLARE. A file is
 * named from the one that includes it, and lies below the folder of the project file.
 *
 * @throws FlareError `project/invalid` with the line of the `include`, or of the mistake in the included file.
 */
export function includeFiles(tree: DocumentTree, file: string): DocumentTree {
  return new Includer(file).expand(tree, [file]);
}

class Includer {
  readonly #root: string;
  #opened = 0;

  constructor(projectFile: string) {
    this.#root = resolve(dirname(projectFile));
  }

  /** @param files the file that the tree stands in, after those that led to it */
  expand(tree: DocumentTree, files: readonly string[]): DocumentTree {
    if (Array.isArray(tree.value)) {
      return listOf(
        tree.value.map((_, index) => this.expand(partOf(tree, index), files)),
        tree,
      );
    }
    const written = entriesOf(tree);
    if (written === undefined) return tree;
    const entries = new Map<string, DocumentTree>();
    for (const [key, part] of written) {
      if (key !== "include") entries.set(key, this.expand(part, files));
      else for (const [name, included] of this.#includedBy(part, files)) entries.set(name, included);
    }
    return mapOf(entries, tree);
  }

  #includedBy(include: DocumentTree, files: readonly string[]): [string, DocumentTree][] {
    const items = Array.isArray(include.value) ? include.value.map((_, index) => partOf(include, index)) : [include];
    return items.flatMap((item) => {
      if (typeof item.value !== "string" || item.value === "")
        throw invalid(item, "include must be the path of a file, or a list of paths");
      return [...this.#open(item.value, item, files)];
    });
  }

  #open(name: string, at: DocumentTree, files: readonly string[]): Map<string, DocumentTree> {
    const file = isAbsolute(name) ? name : join(dirname(files.at(-1) ?? ""), name);
    const real = this.#check(file, name, at);
    if (files.some((other) => realPath(other) === real)) throw invalid(at, `${[...files, file].join(" includes ")}: that is a circle`);
    this.#opened += 1;
    // What doubles at each level stops here.
    if (this.#opened > limits.includedFiles) throw invalid(at, `includes more than ${limits.includedFiles} files`);
    const text = readSmallFile(real);
    if (text === undefined) throw invalid(at, `the included file ${file} cannot be read`);
    const tree = readDocumentTree({ text, file, code: "project/invalid", hasMergeKeys: true });
    const entries = entriesOf(this.expand(tree, [...files, file]));
    if (entries === undefined) throw invalid(tree, `${file} is not a map of keys, and cannot be included`);
    return entries;
  }

  #check(file: string, name: string, at: DocumentTree): string {
    const outside = (): FlareError => invalid(at, `the included file '${name}' does not lie below the folder of the project file`);
    if (!isBelow(this.#root, resolve(file))) throw outside();
    const real = realPath(file);
    if (real === undefined) throw invalid(at, `there is no file ${file} to include`);
    if (!isBelow(realPath(this.#root) ?? this.#root, real)) throw outside();
    return real;
  }
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function invalid(at: DocumentTree, message: string): FlareError {
  const place = at.locate([]);
  return new FlareError("project/invalid", `${place.file} has a mistake.`, {
    problems: [{ ...place, message }],
    facts: { file: place.file },
  });
}
