/** Environment variable of a trainer: the folder with what its scripts are without their types. */
export const strippedFolderVariable = "FLARE_STRIPPED_TYPES";

/**
 * Name in that folder of what a script is without its types; another text has another name. It tells versions of one's own script
 * apart and defends against nobody: Node's cryptography would take 1.6 MB of each trainer for it.
 *
 * @see Fowler, Noll, Vo, "FNV hash", in the form 1a with 32 bits, here twice from different starts
 */
export function strippedName(text: string): string {
  return `${text.length}-${checksum(text, 0x811c9dc5)}${checksum(text, 0x9747b28c)}.js`;
}

function checksum(text: string, start: number): string {
  let sum = start;
  for (let i = 0; i < text.length; i += 1) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
  return (sum >>> 0).toString(16).padStart(8, "0");
}
