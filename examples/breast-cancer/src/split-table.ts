/** How many patients each place has: the hospitals differ in size and in how ill the patients are that come to them. */
export const places = Object.freeze({
  /** A large hospital with a screening programme: most tumours are benign. */
  "hospital-a": { benign: 180, malignant: 20 },
  "hospital-b": { benign: 70, malignant: 55 },
  /** A small clinic that patients are referred to: most tumours are malignant. */
  "hospital-c": { benign: 10, malignant: 80 },
  /** Patients whom no one trains on, in the proportion of the whole table. */
  "held-out": { benign: 97, malignant: 57 },
} as const);

export type Place = keyof typeof places;

/** The year in which the data were published; the figures of the README say how other seeds do. */
const committedSeed = 1995;

/**
 * The table of each place, made from the whole table; every row goes to one place, and to the same on every machine and
 * whatever the order of the rows.
 *
 * @throws Error when the table is not the one that the numbers above are for
 */
export function splitTable(text: string, seed = committedSeed): ReadonlyMap<Place, string> {
  const [header = "", ...unordered] = text.trimEnd().split("\n");
  const lines = unordered.toSorted();
  const names = Object.keys(places) as Place[];
  const parts = new Map(names.map((name) => [name, [] as string[]]));
  for (const kind of ["benign", "malignant"] as const) {
    const rows = lines.filter((line) => line.endsWith(kind === "benign" ? ",1" : ",0"));
    const wanted = names.flatMap((name) => Array.from({ length: places[name][kind] }, () => name));
    if (rows.length !== wanted.length) throw new Error(`the table has ${rows.length} ${kind} rows, where ${wanted.length} are expected`);
    const order = shuffled(rows.length, kind === "benign" ? seed : seed + 1);
    wanted.forEach((name, i) => parts.get(name)?.push(rows[order[i] ?? 0] ?? ""));
  }
  return new Map([...parts].map(([name, rows]) => [name, `${[header, ...rows.toSorted()].join("\n")}\n`]));
}

/** 0 … count - 1 in an order that the seed gives (Fisher and Yates; the generator is Park and Miller's). */
function shuffled(count: number, seed: number): readonly number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  let state = seed;
  for (let i = count - 1; i > 0; i -= 1) {
    state = (state * 48_271) % 0x7fff_ffff;
    const j = state % (i + 1);
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  return order;
}
