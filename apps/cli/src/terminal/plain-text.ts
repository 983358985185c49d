import { isStyleCode, styleCode } from "./style-code.js";

/** Text of somebody else as a terminal may show it: characters that steer it, or turn the direction of reading, are written out. */
export function plainText(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => (character === "\t" ? "  " : writtenOut(character)));
}

/** As `plainText` for what a command has put together itself: its colours, line ends and tabs stay. */
export function styledText(text: string): string {
  return text
    .split(styleCode)
    .map((part) => (isStyleCode(part) ? part : part.replaceAll(/[^\P{Cc}\n\t]|[\p{Cf}\u2028\u2029]/gu, writtenOut)))
    .join("");
}

/** A text without its colours. */
export function withoutStyle(text: string): string {
  return text
    .split(styleCode)
    .filter((part) => !isStyleCode(part))
    .join("");
}

function writtenOut(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
