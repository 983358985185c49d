/** What takes the place of a secret. */
const hidden = "(secret)";

/** A shorter one is found in too many places that have nothing to do with it. */
const shortest = 4;

/** Lines without the secrets that a program may have printed; of a secret of several lines, such as a key in PEM, each line is hidden. */
export function hideSecrets(lines: readonly string[], secrets: readonly string[]): string[] {
  const hideable = secrets
    .flatMap((secret) => secret.split(/\r\n|\n|\r/))
    .filter((part) => part.length >= shortest)
    .toSorted((a, b) => b.length - a.length);
  return lines.map((line) => hideable.reduce((text, secret) => text.replaceAll(secret, hidden), line));
}
