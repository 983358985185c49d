import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";

/** Uploads and downloads that are under way at the same time; each takes room on the disk. */
const mostAtOnce = 8;
/** Those of one person: whoever sends or reads slowly must not keep everybody else out. */
const mostOfOne = 3;

/** Where archives lie while they are on their way. Nothing in it outlives a restart. */
export class TransferFolder {
  readonly #root: string;
  /** Under way, by person. */
  readonly #counts = new Map<string, number>();

  private constructor(root: string) {
    this.#root = root;
  }

  /** Makes the folder; what an earlier run left in it is removed. */
  static async open(init: { readonly dataFolder: string }): Promise<TransferFolder> {
    const root = join(init.dataFolder, "transfer");
    await rm(root, { recursive: true, force: true });
    await mkdir(root, { recursive: true, mode: 0o700 });
    return new TransferFolder(root);
  }

  /** A folder of one's own for a person; `remove` takes it away. @throws FlareError `dashboard/busy` */
  async take(personId: string): Promise<{ readonly dir: string; readonly remove: () => Promise<void> }> {
    const all = [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
    if (all >= mostAtOnce) throw busy(`${mostAtOnce} uploads and downloads are under way; this is all that the dashboard does at once.`);
    const own = this.#counts.get(personId) ?? 0;
    if (own >= mostOfOne) throw busy(`${mostOfOne} uploads and downloads of yours are under way; wait until one has ended.`);
    this.#counts.set(personId, own + 1);
    let isTaken = true;
    const leave = (): void => {
      isTaken = false;
      const left = (this.#counts.get(personId) ?? 1) - 1;
      if (left > 0) this.#counts.set(personId, left);
      else this.#counts.delete(personId);
    };
    const dir = await mkdtemp(join(this.#root, "t-")).catch((error: unknown) => {
      leave();
      throw error;
    });
    return {
      dir,
      remove: async () => {
        if (!isTaken) return;
        leave();
        await rm(dir, { recursive: true, force: true });
      },
    };
  }
}

function busy(message: string): FlareError {
  return new FlareError("dashboard/busy", message);
}
