import { FlareError, nearestWord } from "@flare-ts/contracts";

/** A word that is none of those that there are, with the nearest, or all where none is near. */
export function noneOf(message: string, word: string, known: readonly string[]): FlareError {
  const near = nearestWord(word, known);
  const rest = near === undefined ? `; there are ${known.join(", ")}` : `; did you mean '${near}'?`;
  return new FlareError("cli/invalid-arguments", `${message} '${word}'${rest}`);
}
