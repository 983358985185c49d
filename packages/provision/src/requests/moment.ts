/** A moment as FLARE writes it: ISO 8601 in whole seconds. */
export function moment(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}
