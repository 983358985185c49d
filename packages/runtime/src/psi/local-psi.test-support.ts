import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SitePsi } from "./site-psi.js";

/** What a site answers to a task. */
export interface LocalAnswer {
  readonly bytes: Uint8Array;
  readonly metrics: Readonly<Record<string, number>>;
}

/** A site with identifiers, as its program is: each answer comes of one that was started anew. */
export class LocalPsiSite {
  readonly folder: string;
  readonly #items: readonly string[];
  /** What it was given in the end; `undefined` before. */
  intersection: readonly string[] | undefined;
  /** How often its identifiers were asked for. */
  loads = 0;

  private constructor(folder: string, items: readonly string[]) {
    this.folder = folder;
    this.#items = items;
  }

  /** In a temporary folder, which is the caller's to remove. */
  static async open(items: readonly string[]): Promise<LocalPsiSite> {
    return new LocalPsiSite(await mkdtemp(join(tmpdir(), "flare-psi-")), items);
  }

  async answer(task: {
    readonly model: Uint8Array;
    readonly round: number;
    readonly totalRounds: number;
    readonly threads?: number;
  }): Promise<LocalAnswer> {
    const [modelPath, outPath] = [join(this.folder, "given"), join(this.folder, "made")];
    await writeFile(modelPath, task.model);
    const site = new SitePsi({
      folder: this.folder,
      threads: task.threads ?? 1,
      onProgress: () => undefined,
      owner: {
        loadItems: () => {
          this.loads += 1;
          return this.#items;
        },
        saveIntersection: (items) => {
          this.intersection = items;
        },
      },
    });
    try {
      const sizes = await site.answer({ modelPath, outPath, round: task.round, totalRounds: task.totalRounds });
      return { bytes: await readFile(outPath), metrics: { ...sizes } };
    } finally {
      await site.close();
    }
  }
}

/** Numbers that a seed decides, each below a bound. */
export function numbersFrom(seed: number): (bound: number) => number {
  let state = seed + 1;
  return (bound) => {
    // Numerical Recipes' generator: tests need no better one.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** Sets of identifiers of some sites, of which some are everywhere and others here and there, with a few twice. */
export function randomSets(seed: number, sites: number, most: number): readonly (readonly string[])[] {
  const draw = numbersFrom(seed);
  const all = Array.from({ length: most }, (_, i) => `${i % 7 === 0 ? "Zoë 猫 " : "patient-"}${seed}-${i}`);
  return Array.from({ length: sites }, () => {
    const own = all.filter((_, i) => i % 5 === 0 || draw(2) === 0);
    const some = own.length === 0 ? all.slice(0, 1) : own;
    return [...some, ...some.slice(0, draw(3))];
  });
}

/** What sets have in common, the slow and obvious way, in the order of an intersection. */
export function plainIntersection(sets: readonly (readonly string[])[]): readonly string[] {
  const [first = [], ...others] = sets;
  return [...new Set(first)].filter((item) => others.every((set) => set.includes(item))).sort();
}
