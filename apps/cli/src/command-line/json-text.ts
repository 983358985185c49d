/**
 * A value as one line of JSON in which nothing steers a terminal: what JSON lets stand as it is, such as the control characters beyond
 * ASCII and those that turn the direction of reading, is escaped. Whoever parses it gets the same value.
 */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[\u007f-\u009f\p{Cf}\u2028\u2029]/gu, (character) =>
    Array.from({ length: character.length }, (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`).join(""),
  );
}
