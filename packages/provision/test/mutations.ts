/** A linear congruential generator (Numerical Recipes): the same numbers in every run. */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** How many mutations a test tries: few by default, FLARE_MUTATIONS of them where it is set. */
export function mutationCount(byDefault: number): number {
  return Number(process.env["FLARE_MUTATIONS"] ?? byDefault);
}

/** Changes, cuts, repeats or inserts a few bytes. */
export function mutateBytes(original: Uint8Array, random: (below: number) => number): Buffer {
  let bytes = Buffer.from(original);
  for (let change = 0; change <= random(4); change++) {
    const at = random(bytes.length);
    const kind = random(6);
    if (kind === 0) bytes = bytes.subarray(0, at);
    else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(random(bytes.length))]);
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([random(256)]), bytes.subarray(at)]);
    else if (kind === 3 && bytes.length > 4)
      bytes.writeUInt32LE(random(2) === 0 ? 0xff_ff_ff_ff : random(2 ** 31), random(bytes.length - 3));
    else bytes[at] = random(256);
    if (bytes.length === 0) return bytes;
  }
  return bytes;
}

const pieces: readonly string[] = [
  "../../x",
  "\0",
  "\u202e",
  '"',
  "{",
  "[",
  "}",
  "]",
  ": ",
  "&a ",
  "*a",
  "!!js/function ",
  "<<: ",
  "null",
  "-1",
  "1e999",
  "__proto__",
  "constructor",
  "project_admin",
  "server",
  "A".repeat(5000),
  "\u0000\ud800",
  "\n",
];

/** Changes, cuts or repeats a part of a text, or puts something ugly into it. */
export function mutateText(original: string, random: (below: number) => number): string {
  let text = original;
  for (let change = 0; change <= random(3); change++) {
    const at = random(text.length + 1);
    const kind = random(5);
    const piece = pieces[random(pieces.length)] ?? "";
    if (kind === 0) text = text.slice(0, at);
    else if (kind === 1) text = text.slice(0, at) + text.slice(at + 1 + random(20));
    else if (kind === 2) text = text.slice(0, at) + piece + text.slice(at);
    else if (kind === 3) text = text.slice(0, at) + text.slice(random(text.length + 1));
    else text = text.slice(0, at) + String.fromCharCode(32 + random(95)) + text.slice(at + 1);
  }
  return text;
}
