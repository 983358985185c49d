/**
 * A name that Docker takes for a container, an image and a project of compose: small letters, digits and single dashes between them.
 *
 * @param words are joined by dashes; whatever else stands in them becomes one
 */
export function containerName(...words: readonly string[]): string {
  return words
    .join("-")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
