import { limits } from "@flare-ts/contracts/errors";

/** Text that a peer sent, no longer than may stand in a log or an error. */
export function capPeerText(text: string): string {
  return text.slice(0, limits.peerTextChars);
}

/** As `capPeerText`, in quotes and with everything escaped that could forge a line. */
export function quotePeerText(text: string): string {
  return JSON.stringify(capPeerText(text));
}
