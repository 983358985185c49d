import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";

/** Uploads and downloads that are under way at the same time; each takes room on the disk. */
const mostAtOnce = 8;

/** Where archives lie while they are on their way. Nothing in it outlives a restart. */
export class TransferFolder {
  readonly #root: string;
  #count = 0;

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

  /** A folder of one's own; `remove` takes it away. @throws FlareError `dashboard/busy` */
  async take(): Promise<{ readonly dir: string; remove(): Promise<void> }> {
    if (this.#count >= mostAtOnce) {
      throw new FlareError(
        "dashboard/busy",
        `${mostAtOnce} uploads and downloads are under way; this is all that the dashboard does at once.`,
      );
    }
    this.#count += 1;
    let isTaken = true;
    const dir = await mkdtemp(join(this.#root, "t-")).catch((error: unknown) => {
      this.#count -= 1;
      throw error;
    });
    return {
      dir,
      remove: async () => {
        if (!isTaken) return;
        isTaken = false;
        this.#count -= 1;
        await rm(dir, { recursive: true, force: true });
      },
    };
  }
}
