import { createHash } from "node:crypto";

/** Environment variable of a trainer: the folder with what its scripts are without their types. */
export const strippedFolderVariable = "FLARE_STRIPPED_TYPES";

/** Name in that folder of what a script is without its types; another text has another name. */
export function strippedName(text: string): string {
  return `${createHash("sha256").update(text).digest("hex")}.js`;
}
