import { isStyleCode, styleCode } from "./style-code.js";

/**
 * The beginning of a line that fits into `columns`, with `…` where something was cut off. Codes for colours take no room and are
 * kept, so that what follows is not coloured. A drawn line that wraps could not be drawn over.
 */
export function clipLine(line: string, columns: number): string {
  const parts = line.split(styleCode);
  const isText = (part: string): boolean => !isStyleCode(part);
  const length = parts.filter(isText).reduce((sum, part) => sum + Array.from(part).length, 0);
  if (length <= columns) return line;
  let room = Math.max(0, columns - 1);
  let isCut = false;
  return parts
    .map((part) => {
      if (!isText(part)) return part;
      const shown = Array.from(part).slice(0, room).join("");
      room -= Array.from(shown).length;
      if (room > 0 || isCut) return shown;
      isCut = true;
      return `${shown}…`;
    })
    .join("");
}
