import { randomUUID } from "node:crypto";
import { chmod, lstat, mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { limits } from "@flare-ts/contracts/errors";
import { removeFile } from "./file-model-store-disk.js";

export interface SpareFilesInit {
  /** On the disk of the store; what lies in it when it is opened is removed. */
  readonly folder: string;
  /** Milliseconds after which a file that nobody has taken is removed. @default limits.spareFileMs */
  readonly idleMs?: number;
}

interface Spare {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Large files that nobody needs any more, for others to be written over. A round's updates are as large as those of the round before:
 * bytes that go into pages which the system already holds cost a fraction of what new pages do, on a virtual machine a twentieth, and the
 * disk need not find new blocks.
 */
export class SpareFiles {
  readonly #init: Required<SpareFilesInit>;
  #spares: Spare[] = [];
  #timer: NodeJS.Timeout | undefined;

  private constructor(init: SpareFilesInit) {
    this.#init = { idleMs: limits.spareFileMs, ...init };
  }

  static async open(init: SpareFilesInit): Promise<SpareFiles> {
    await mkdir(init.folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(init.folder)) await removeFile(join(init.folder, name));
    return new SpareFiles(init);
  }

  /**
   * Takes a file away from its place, which its owner must not need any more. One that is small or has another name besides is removed.
   * Whoever still reads it reads what is written over it: the caller knows that nobody does.
   */
  async keep(path: string): Promise<void> {
    const found = await lstat(path).catch(() => undefined);
    const bytes = found?.size ?? 0;
    const held = this.#spares.reduce((sum, spare) => sum + spare.bytes, 0);
    if (found === undefined || found.nlink !== 1 || bytes < leastBytes || held + bytes > limits.spareFileBytes) {
      await removeFile(path);
      return;
    }
    const spare = { path: join(this.#init.folder, randomUUID()), bytes };
    await chmod(path, 0o600);
    await rename(path, spare.path);
    this.#spares.push(spare);
    this.#startTimer();
  }

  /**
   * Gives a file of about so many bytes the name `path`, with anything in it.
   *
   * @returns whether there was one
   */
  async take(bytes: number, path: string): Promise<boolean> {
    const fits = this.#spares.filter((spare) => bytes >= leastBytes && spare.bytes >= bytes / 2 && spare.bytes <= bytes * 2);
    const distance = (spare: Spare): number => Math.abs(spare.bytes - bytes);
    const [best] = fits.toSorted((a, b) => distance(a) - distance(b));
    if (best === undefined) return false;
    this.#spares = this.#spares.filter((spare) => spare !== best);
    try {
      await rename(best.path, path);
      return true;
    } catch {
      // Somebody cleaned up by hand: a new file serves as well.
      return false;
    }
  }

  /** Removes all of them; returns how many bytes that was. */
  async release(): Promise<number> {
    clearTimeout(this.#timer);
    const spares = this.#spares;
    this.#spares = [];
    await Promise.all(spares.map(({ path }) => removeFile(path)));
    return spares.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #startTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.release().catch(() => undefined), this.#init.idleMs);
    this.#timer.unref();
  }
}

/** A smaller file costs less than looking for one. */
const leastBytes = 1024 * 1024;
