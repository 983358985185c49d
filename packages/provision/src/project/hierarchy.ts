/** Where each member of a tree stands, by its name; or the members of a circle, from one of them to itself. */
export type Hierarchy =
  | { readonly isTree: true; readonly paths: ReadonlyMap<string, readonly string[]> }
  | { readonly isTree: false; readonly circle: readonly string[] };

/**
 * The path from the top down to each member.
 *
 * @param parents each member's parent; `undefined` for those at the top, and for those whose parent is no member.
 */
export function hierarchyOf(parents: ReadonlyMap<string, string | undefined>): Hierarchy {
  const paths = new Map<string, readonly string[]>();
  for (const name of parents.keys()) {
    const path: string[] = [];
    for (let at: string | undefined = name; at !== undefined; at = parents.get(at)) {
      const seen = path.indexOf(at);
      if (seen >= 0) return { isTree: false, circle: [...path.slice(0, seen + 1).toReversed(), at] };
      path.unshift(at);
    }
    paths.set(name, path);
  }
  return { isTree: true, paths };
}
