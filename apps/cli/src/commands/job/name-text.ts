import { clipLine } from "../../terminal/clip-line.js";
import { plainText } from "../../terminal/plain-text.js";

/** A name that somebody else has chosen, as a line may hold it: of a longer one the beginning is shown. */
export function nameText(name: string, columns: number = mostNameColumns): string {
  return clipLine(plainText(name), columns);
}

const mostNameColumns = 40;
