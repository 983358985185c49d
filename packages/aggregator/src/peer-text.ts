import { limits } from "@flare-ts/contracts/errors";

/** Text from a file or a peer as it may stand in a message: quoted, and cut at `limits.peerTextChars`. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > limits.peerTextChars ? `${text.slice(0, limits.peerTextChars)}…` : text);
}
