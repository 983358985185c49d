/** Whether a name is one of some names, or a regular expression is found in it. */
export function isNamedBy(names: readonly string[] | RegExp, name: string): boolean {
  return names instanceof RegExp ? names.test(name) : names.includes(name);
}
