import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { FlareError, limits } from "@flare-ts/contracts/errors";
import type { BlindingWork } from "./blind.js";
import { BlindingPool } from "./blinding-pool.js";
import { pointBytes, psiHeader, readPoints, readPsiFile, selectionFile } from "./psi-file.js";
import { keptPsiSecret, type PsiSecret, seedOfShuffle } from "./psi-secret.js";
import { psiStepOf } from "./psi-steps.js";
import { isSelected, shuffleOf, unshuffled } from "./shuffle.js";

/** What a site puts in, and what it gets. */
export interface PsiOwner {
  /** The site's identifiers. It is asked once in a job: what it says is kept until the job is over. */
  loadItems(): readonly string[] | Promise<readonly string[]>;
  /** Takes the intersection, sorted. After a crash it may be given the same once more. */
  saveIntersection(items: readonly string[]): void | Promise<void>;
}

/** A task of a site. */
export interface PsiTask {
  readonly modelPath: string;
  readonly round: number;
  readonly totalRounds: number;
  /** Where the answer is written. */
  readonly outPath: string;
}

export interface SitePsiInit {
  /** What must be the same when the program is started anew lies here: it goes with the job. */
  readonly folder: string;
  readonly owner: PsiOwner;
  readonly onProgress: (done: number, total: number, note: string) => void;
  /** @default as many as there are processors */
  readonly threads?: number;
}

/** Metrics of a site's last answer: how many identifiers it has, and how many of them all have. */
export const sizesOfPsi = ["psi_items", "psi_intersection"] as const;

/** The same with their values. Where the site has a policy, none leaves unless that lets it. */
export type PsiSizes = Readonly<Record<(typeof sizesOfPsi)[number], number>>;

const pointsOfBatch = 1024;

/**
 * A site's part in a private set intersection. Everything that it writes follows from its secret and its identifiers, both of which are kept for as
 * long as the job is there, so a program that is started anew gives the same answers.
 */
export class SitePsi {
  readonly #init: SitePsiInit;
  readonly #secret: PsiSecret;
  readonly #pool: BlindingPool;

  constructor(init: SitePsiInit) {
    this.#init = init;
    this.#secret = keptPsiSecret(init.folder);
    this.#pool = BlindingPool.open(this.#secret.key, init.threads);
  }

  /** @throws FlareError `client-api/items-invalid`, `client-api/result-invalid`, what the owner throws */
  async answer(task: PsiTask): Promise<PsiSizes | undefined> {
    const step = psiStepOf(task.round, task.totalRounds);
    switch (step.kind) {
      case "own": {
        const items = await this.#ownItems();
        await this.#blindAll(task, items.length, (from, to) => ({ items: items.slice(from, to) }));
        return undefined;
      }
      case "blind": {
        const { count, start } = readPsiFile(task.modelPath, "points");
        const file = openSync(task.modelPath, "r");
        try {
          await this.#blindAll(task, count, (from, to) => {
            const points = new Uint8Array((to - from) * pointBytes);
            readPoints(file, points, { start, from });
            return { points };
          });
        } finally {
          closeSync(file);
        }
        return undefined;
      }
      case "trace":
        this.#writeSelection(task, this.#traced(task.modelPath, step.shuffledIn));
        return undefined;
      case "reveal":
      default:
        return await this.#reveal(task);
    }
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  async #reveal(task: PsiTask): Promise<PsiSizes> {
    const items = await this.#ownItems();
    const selection = this.#traced(task.modelPath, 0, items.length);
    const intersection = items.filter((_, index) => isSelected(selection, index));
    await this.#init.owner.saveIntersection(intersection);
    this.#writeSelection(task, new Uint8Array());
    return { psi_items: items.length, psi_intersection: intersection.length };
  }

  /** Sorted, and each once: what was asked for is kept, as the source may say something else the next time. */
  async #ownItems(): Promise<readonly string[]> {
    const path = join(this.#init.folder, "psi.items");
    if (!existsSync(path)) {
      const items = [...new Set(await this.#init.owner.loadItems())].sort();
      checkItems(items);
      const part = `${path}.${process.pid}.part`;
      writeFileSync(part, items.join("\n"), { mode: 0o600 });
      renameSync(part, path);
    }
    return readFileSync(path, "utf8").split("\n");
  }

  async #blindAll({ outPath, round }: PsiTask, count: number, batch: (from: number, to: number) => BlindingWork): Promise<void> {
    const places = this.#shuffle(round, count);
    // Wanted when what is in the intersection goes back.
    if (round > 0) writeFileSync(this.#countPath(round), String(count));
    const header = psiHeader({ kind: "points", count });
    const file = openSync(outPath, "w", 0o600);
    try {
      writeSync(file, header);
      let next = 0;
      let done = 0;
      const work = async (): Promise<void> => {
        while (next < count) {
          const from = next;
          next = Math.min(count, from + pointsOfBatch);
          const blinded = await this.#pool.blind(batch(from, next));
          for (let at = 0; at < blinded.byteLength; at += pointBytes) {
            const place = places[from + at / pointBytes] ?? 0;
            writeSync(file, blinded, at, pointBytes, header.byteLength + place * pointBytes);
          }
          done += blinded.byteLength / pointBytes;
          this.#init.onProgress(done, count, "blinding identifiers");
        }
      };
      await Promise.all(Array.from({ length: this.#pool.width }, work));
    } finally {
      closeSync(file);
    }
  }

  /** What a selection is of points as they were before this site has shuffled them. */
  #traced(path: string, round: number, count?: number): Uint8Array {
    const { start, count: bytes } = readPsiFile(path, "selection");
    const selection = readFileSync(path).subarray(start);
    const points = count ?? this.#countOf(round);
    if (bytes !== Math.ceil(points / 8))
      throw new FlareError("client-api/result-invalid", `The selection has ${bytes} bytes, and ${points} points were sent.`);
    return unshuffled(selection, this.#shuffle(round, points));
  }

  #writeSelection({ outPath }: PsiTask, selection: Uint8Array): void {
    writeFileSync(outPath, selectionFile(selection), { mode: 0o600 });
  }

  #shuffle(round: number, count: number): Uint32Array {
    return shuffleOf(count, seedOfShuffle(this.#secret, round));
  }

  #countPath(round: number): string {
    return join(this.#init.folder, `psi.count-${round}`);
  }

  /** How many points were blinded in a round. */
  #countOf(round: number): number {
    return Number(readFileSync(this.#countPath(round), "utf8"));
  }
}

function checkItems(items: readonly string[]): void {
  const invalid = (message: string): FlareError => new FlareError("client-api/items-invalid", message);
  if (items.length === 0) throw invalid("The site has no identifiers for the intersection.");
  if (items.length > limits.psiItems) throw invalid(`The site has ${items.length} identifiers, and ${limits.psiItems} is the limit.`);
  for (const item of items) {
    if (typeof item !== "string" || item === "") throw invalid("An identifier is no text, or an empty one.");
    if (/[\r\n]/.test(item)) throw invalid("An identifier has a line break in it.");
    if (!item.isWellFormed()) throw invalid("An identifier has half a character in it, and cannot be written to a file.");
  }
}
