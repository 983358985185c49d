import type { ContentHash } from "@flare-ts/contracts";
import type { Identity } from "../session/identity.js";

/**
 * Which objects a participant has: what it has sent itself, or may read. An object that it only names is, for it, as if the server
 * did not hold it: who could find out by a hash would learn what others have in common with it.
 */
export interface Possession {
  has(identity: Pick<Identity, "name" | "kind">, hash: ContentHash): boolean;
  /** A participant has sent every byte of an object. */
  note(identity: Pick<Identity, "name" | "kind">, hash: ContentHash): void;
}
