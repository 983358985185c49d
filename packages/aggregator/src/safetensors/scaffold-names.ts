/**
 * The name of a control variate of SCAFFOLD is this and that of its tensor, in files that hold both; it is what FLARE calls them in
 * metadata.
 */
export const scaffoldControlPrefix = "scaffold_c_global.";

/** Whether a tensor is a control variate. */
export function isScaffoldControl({ name }: { readonly name: string }): boolean {
  return name.startsWith(scaffoldControlPrefix);
}

/** The tensor that a control variate belongs to; a tensor that is none belongs to itself. */
export function controlledTensor(name: string): string {
  return name.startsWith(scaffoldControlPrefix) ? name.slice(scaffoldControlPrefix.length) : name;
}
