import { createCipheriv, createHash } from "node:crypto";

/**
 * A permutation of 0 … `count` - 1 that a seed decides: each is as likely as any other to whoever does not know the seed. At place `i` stands where
 * the `i`-th goes.
 *
 * @see Fisher and Yates' shuffle, its numbers drawn without a bias from the stream of AES-256 in counter mode
 */
export function shuffleOf(count: number, seed: Uint8Array): Uint32Array {
  const places = Uint32Array.from({ length: count }, (_, i) => i);
  const draw = numbersOf(seed, count);
  for (let i = count - 1; i > 0; i -= 1) {
    const j = draw(i + 1);
    const held = places[i] ?? 0;
    places[i] = places[j] ?? 0;
    places[j] = held;
  }
  return places;
}

const mostDrawnBytes = 64 * 1024;
const bytesOfNumber = 4;

/** Draws numbers below a bound, of which about so many are wanted. */
function numbersOf(seed: Uint8Array, count: number): (bound: number) => number {
  const key = createHash("sha256").update(seed).digest();
  const cipher = createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
  const zeros = Buffer.alloc(Math.min(mostDrawnBytes, bytesOfNumber * Math.max(1, count)));
  let stream = Buffer.alloc(0);
  let at = 0;
  return (bound) => {
    // Numbers from here on would make small ones likelier.
    const end = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      if (at === stream.byteLength) {
        stream = cipher.update(zeros);
        at = 0;
      }
      const drawn = stream.readUInt32LE(at);
      at += bytesOfNumber;
      if (drawn < end) return drawn % bound;
    }
  };
}

/** A bit for each point of a list, eight in a byte, the first one lowest. */
export function isSelected(selection: Uint8Array, index: number): boolean {
  return (((selection[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}

export function select(selection: Uint8Array, index: number): void {
  selection[index >> 3] = (selection[index >> 3] ?? 0) | (1 << (index & 7));
}

/** How many are selected. */
export function countSelected(selection: Uint8Array): number {
  let count = 0;
  for (const byte of selection) for (let bits = byte; bits !== 0; bits &= bits - 1) count += 1;
  return count;
}

/** What is selected of a list as it was before its shuffle, told what is of the shuffled one. */
export function unshuffled(selection: Uint8Array, places: Uint32Array): Uint8Array {
  const before = new Uint8Array(selection.byteLength);
  places.forEach((place, index) => {
    if (isSelected(selection, place)) select(before, index);
  });
  return before;
}
