import { lstat, readdir, statfs } from "node:fs/promises";
import { join } from "node:path";
import { byteSizeText } from "@flare-ts/contracts";

export interface DiskBudgetInit {
  /** Folder of the participant: its store, its jobs, and what is on its way. */
  readonly folder: string;
  readonly maxBytes: number;
}

/** Left free on the disk for others, and for what cannot be foreseen: a twentieth of the budget, in this range. */
const reserve = { least: 16 * 2 ** 20, most: 2 ** 30 };

export interface DiskBudgetComponents {
  readonly models: {
    /** Gives back what the store keeps without need, and says how many bytes that was. */
    releaseSpares(): Promise<number>;
  };
}

/** What a participant may hold on its disk. */
export class DiskBudget {
  readonly #models: DiskBudgetComponents["models"];
  readonly #init: DiskBudgetInit;
  readonly #reserved = new Map<string, number>();

  constructor(components: DiskBudgetComponents, init: DiskBudgetInit) {
    this.#models = components.models;
    this.#init = init;
  }

  get maxBytes(): number {
    return this.#init.maxBytes;
  }

  /** Keeps room for what a holder is going to write, such as the next model of a job; 0 gives it back. */
  reserve(holder: string, bytes: number): void {
    if (bytes > 0) this.#reserved.set(holder, bytes);
    else this.#reserved.delete(holder);
  }

  /** Bytes of all files in the folder. */
  usedBytes(): Promise<number> {
    return folderBytes(this.#init.folder, new Set());
  }

  /**
   * Why so many bytes more have no room now; `undefined` when they have.
   *
   * @param promised - bytes that others were let in to write and have not written yet
   */
  async shortage(bytes: number, promised: number): Promise<string | undefined> {
    const reason = await this.#shortage(bytes, promised);
    if (reason === undefined || (await this.#models.releaseSpares()) === 0) return reason;
    return await this.#shortage(bytes, promised);
  }

  async #shortage(bytes: number, promised: number): Promise<string | undefined> {
    const { folder, maxBytes } = this.#init;
    const reserved = [...this.#reserved.values()].reduce((sum, each) => sum + each, 0);
    const used = await this.usedBytes();
    const wanted = byteSizeText(bytes);
    if (used + promised + reserved + bytes > maxBytes) {
      const kept = reserved === 0 ? "" : ` and ${byteSizeText(reserved)} kept for the models of running rounds`;
      return `${wanted} are wanted, and of --max-disk ${byteSizeText(maxBytes)} ${byteSizeText(used + promised)} are taken${kept}`;
    }
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize - promised;
    const left = Math.min(reserve.most, Math.max(reserve.least, Math.floor(maxBytes / 20)));
    if (free - bytes >= left) return undefined;
    return `${wanted} are wanted, and the disk has ${byteSizeText(Math.max(0, free))} free, of which ${byteSizeText(left)} stay free`;
  }
}

/** A file with several names counts once; what goes away meanwhile counts nothing. */
async function folderBytes(folder: string, seen: Set<string>): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const sizes = entries.map(async (entry): Promise<number> => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return folderBytes(path, seen);
    if (!entry.isFile()) return 0;
    const stat = await lstat(path).catch(() => undefined);
    if (stat === undefined) return 0;
    if (stat.nlink > 1) {
      const name = `${stat.dev}:${stat.ino}`;
      if (seen.has(name)) return 0;
      seen.add(name);
    }
    return stat.size;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
