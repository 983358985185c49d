import type { DocumentTree } from "@flare-ts/contracts";

/** One entry of a map or an item of a list, with its place. */
export function partOf(tree: DocumentTree, key: PropertyKey): DocumentTree {
  return { value: (tree.value as Record<PropertyKey, unknown>)[key], locate: (path) => tree.locate([key, ...path]) };
}

/** A map that was put together: each entry keeps its place; what is missing stands where `at` does. */
export function mapOf(entries: ReadonlyMap<string, DocumentTree>, at: DocumentTree): DocumentTree {
  return {
    value: Object.fromEntries([...entries].map(([key, { value }]) => [key, value])),
    locate: ([key, ...rest]) => entries.get(String(key ?? ""))?.locate(rest) ?? at.locate([]),
  };
}

/** A list that was put together: each item keeps its place. */
export function listOf(items: readonly DocumentTree[], at: DocumentTree): DocumentTree {
  return {
    value: items.map(({ value }) => value),
    locate: ([index, ...rest]) => items[Number(index ?? -1)]?.locate(rest) ?? at.locate([]),
  };
}

/** A value that nobody wrote; it stands where it comes from. */
export function madeFrom(value: unknown, at: DocumentTree): DocumentTree {
  return { value, locate: () => at.locate([]) };
}

/** Entries of a map, each with its place; `undefined` when it is none. */
export function entriesOf(tree: DocumentTree): Map<string, DocumentTree> | undefined {
  const { value } = tree;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return new Map(Object.keys(value).map((key) => [key, partOf(tree, key)]));
}
