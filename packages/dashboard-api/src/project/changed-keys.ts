/** Names of what a change makes different; a form sends its other fields as well. */
export function changedKeys(before: object, change: object): readonly string[] {
  const known = new Map<string, unknown>(Object.entries(before));
  return Object.entries(change)
    .filter(([key, value]) => value !== undefined && JSON.stringify(value) !== JSON.stringify(known.get(key)))
    .map(([key]) => key);
}
